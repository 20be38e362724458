/* Included by lda_kernel_impl.h once for counts n_kw of 16 bits and once for 32. */
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define NAME(f) JOIN(f, WIDTH)
typedef JOIN(JOIN(uint, WIDTH), _t) NAME(count_);

/* One token. Topic k = 16 v + lane. Sums of p_k within each lane come first, then a lane is drawn by their prefix sums, then v within
 * the lane. No branch depends on what is drawn, and the topic drawn is added to nd only when the cell's next token is drawn (*pending;
 * GRN_LDA_ABSENT: nothing to add): a store whose place waits for a draw would hold up the loads of the next cell. */
INLINE void NAME(draw_token_)(const grn_lda_block_t *b, const grn_lda_run_t *r, uint32_t i, uint32_t V, vec_t *nd, uint32_t *pending,
                              vec_t *cum)
{
    uint32_t z = r->z[i], v = 0;
    if (__builtin_expect(z == GRN_LDA_ABSENT, 0) && (r->token[i] & GRN_CORPUS_HELD) && !b->join) {
        r->drawn[i] = GRN_LDA_ABSENT;
        return;
    }
    const vec_t one = (vec_t){ 0 } + 1.0f, eta = (vec_t){ 0 } + b->eta;
    const NAME(count_) *nw = (const NAME(count_) *)b->nw + (size_t)(r->token[i] & GRN_CORPUS_REGION) * V * L;
    const vec_t *inv = (const vec_t *)b->inv;
    const char *ahead = (const char *)((const NAME(count_) *)b->nw + (size_t)(r->token[i + (i + 1 < r->n)] & GRN_CORPUS_REGION) * V * L);
    const ivec_t old = (ivec_t){ 0 } + (int32_t)z;
    ivec_t topic = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 }, n = { 0 };
    vec_t acc = { 0 };
    if (*pending != GRN_LDA_ABSENT) nd[*pending / L] += HOT(*pending);
    if (z != GRN_LDA_ABSENT) nd[z / L] -= HOT(z);
    float s[2 * L] __attribute__((aligned(64)));
    int32_t below[L] __attribute__((aligned(64)));
#pragma GCC unroll 16
    for (uint32_t w = 0; w < V; w++, topic += L) {
        vec_t others = sub_where(NAME(float)(nw + w * L), one, topic, old);
        acc += (others + eta) * inv[w] * nd[w];
        cum[w] = acc;
        if (w * L * sizeof *nw % 64 == 0) __builtin_prefetch(ahead + w * L * sizeof *nw);
    }
    s[L - 1] = 0; /* before the first lane */
    *(vec_t *)(s + L) = scan(acc);
    float t = r->u[i] * s[2 * L - 1];
    uint32_t lane = count_le(s + L, t);
    const vec_t rest = (vec_t){ 0 } + (t - s[L - 1 + lane]);
#pragma GCC unroll 16
    for (uint32_t w = 0; w + 1 < V; w++) n = count_where_le(n, cum[w], rest);
    if (V > 1) {
        *(ivec_t *)below = n;
        v = (uint32_t)below[lane];
    }
    uint32_t k = v * L + lane;
    if (__builtin_expect(k >= b->K, 0)) k = z < b->K ? z : b->K - 1; /* rounding at the very end of the sum */
    *pending = k;
    r->drawn[i] = (uint16_t)k;
}

/* Cells in turns. `cum` is (V) of its own where V is a constant: it then stays in registers. */
INLINE void NAME(draw_runs_)(const grn_lda_block_t *b, const grn_lda_run_t *run, int n_runs, uint32_t V, vec_t *cum)
{
    uint32_t longest = 0, pending[GRN_LDA_GROUP];
    for (int j = 0; j < n_runs; j++) {
        longest = run[j].n > longest ? run[j].n : longest;
        pending[j] = GRN_LDA_ABSENT;
    }
    for (uint32_t i = 0; i < longest; i++)
        for (int j = 0; j < n_runs; j++)
            if (i < run[j].n) NAME(draw_token_)(b, &run[j], i, V, (vec_t *)run[j].nd, &pending[j], cum);
    for (int j = 0; j < n_runs; j++)
        if (pending[j] != GRN_LDA_ABSENT) run[j].nd[pending[j]] += 1;
}

#define CASE(V) \
    case V: { \
        vec_t cum[V]; \
        NAME(draw_runs_)(b, run, n_runs, V, cum); \
        break; \
    }
static void NAME(draw)(const grn_lda_block_t *b, const grn_lda_run_t *run, int n_runs, float *scratch)
{
    switch (b->KP / L) {
        CASE(1)
        CASE(2)
        CASE(3)
        CASE(4)
        CASE(5)
        CASE(6)
        CASE(7)
        CASE(8)
        CASE(9)
        CASE(10)
        CASE(11)
        CASE(12)
        CASE(13)
        CASE(14)
        CASE(15)
        CASE(16)
        default: NAME(draw_runs_)(b, run, n_runs, b->KP / L, (vec_t *)scratch);
    }
}
#undef CASE
#undef JOIN_
#undef JOIN
#undef NAME
