/* The tree of tree.h for LANES lanes under the name TREE; compiled several times. */
#include <math.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "boost/tree.h"

/* A row (of words of all lanes) is in WORDS vectors of the machine, real numbers of all lanes in REALS of them. (Compilers take wider
 * vectors to pieces badly.) */
#if LANES > 1
#if defined(__AVX512F__)
#define BYTES 64
#elif defined(__AVX2__)
#define BYTES 32
#else
#define BYTES 16
#endif
#define WIDE (BYTES / 8)
#define WORDS (LANES * 4 / BYTES)
#define REALS (LANES * 8 / BYTES)
typedef int32_t word_t __attribute__((vector_size(BYTES)));
typedef int64_t whole_t __attribute__((vector_size(BYTES)));
typedef double real_t __attribute__((vector_size(BYTES)));
#define AS(type, x) ((type)(x))
#define MASK(x) (x) /* all bits of the lanes where a comparison holds */
#define AT(x, lane) ((x)[lane])
#else
#define WIDE 1
#define WORDS 1
#define REALS 1
typedef int32_t word_t;
typedef int64_t whole_t;
typedef double real_t;
#define MASK(x) (-(x))
#define AT(x, lane) (*(&(x) + 0 * (lane)))
#endif
#define ROOM 32    /* words that a sum of 32 bits holds */
#define PIECE 2048 /* cells */
_Static_assert(((uint64_t)GRN_TREE_LIMIT - 1) * ROOM <= INT32_MAX, "sums of words");

enum { LEAF_ONE = GRN_TREE_LIMIT, LEAF_MASK = 7 * GRN_TREE_LIMIT, UNSEEN = 8 * GRN_TREE_LIMIT, VALUE_MASK = GRN_TREE_LIMIT - 1 };

static inline whole_t pick(whole_t mask, whole_t a, whole_t b)
{
    return (mask & a) | (~mask & b);
}

static inline word_t pick_word(word_t mask, word_t a, word_t b)
{
    return (mask & a) | (~mask & b);
}

static inline real_t pick_real(whole_t mask, real_t a, real_t b)
{
#if LANES > 1
    return AS(real_t, pick(mask, AS(whole_t, a), AS(whole_t, b)));
#else
    return mask ? a : b;
#endif
}

static inline int any(whole_t mask)
{
#if LANES == 1
    return mask != 0;
#elif defined(__AVX512F__)
    return _mm512_test_epi64_mask((__m512i)mask, (__m512i)mask) != 0;
#elif defined(__AVX2__)
    return !_mm256_testz_si256((__m256i)mask, (__m256i)mask);
#elif defined(__x86_64__)
    return _mm_movemask_epi8((__m128i)mask) != 0;
#else
    return (mask[0] | mask[1]) != 0;
#endif
}

/* The words of one half of a vector. */
static inline real_t to_real(word_t x, int half)
{
#if LANES == 1
    (void)half;
    return (real_t)x;
#elif defined(__AVX512F__)
    return (real_t)_mm512_cvtepi32_pd(half ? _mm512_extracti64x4_epi64((__m512i)x, 1) : _mm512_castsi512_si256((__m512i)x));
#elif defined(__AVX2__)
    return (real_t)_mm256_cvtepi32_pd(half ? _mm256_extracti128_si256((__m256i)x, 1) : _mm256_castsi256_si128((__m256i)x));
#elif defined(__x86_64__)
    return (real_t)_mm_cvtepi32_pd(half ? _mm_unpackhi_epi64((__m128i)x, (__m128i)x) : (__m128i)x);
#else
    return (real_t){ x[2 * half], x[2 * half + 1] };
#endif
}

typedef struct {
    word_t w[WORDS];
} row_t;

static inline real_t row_real(const row_t *x, int h)
{
    return to_real(x->w[h * WORDS / REALS], h % (REALS / WORDS));
}

typedef struct { /* of some cells, in each lane */
    real_t sum[REALS], count[REALS];
} part_t;

typedef struct {       /* the best split of a node so far, in each lane */
    part_t total;      /* of the node */
    real_t num[REALS]; /* the decrease of the sum of squares is num / (den count) */
    real_t den[REALS];
    whole_t which[REALS]; /* place in the order << 32 | run of the predictor; -1: none */
    part_t moved;         /* the cells that move */
} best_t;

typedef struct { /* a set of lanes */
    whole_t is[REALS];
} set_t;

static inline double get(const real_t *x, int lane)
{
    return AT(x[lane / WIDE], lane % WIDE);
}

static inline int has(const set_t *s, int lane)
{
    return AT(s->is[lane / WIDE], lane % WIDE) != 0;
}

static inline void put(set_t *s, int lane, int in)
{
    AT(s->is[lane / WIDE], lane % WIDE) = -(int64_t)in;
}

static inline int is_some(const set_t *s)
{
    whole_t x = s->is[0];
    for (int h = 1; h < REALS; h++) x |= s->is[h];
    return any(x);
}

static inline set_t minus(const set_t *a, const set_t *b)
{
    set_t x;
    for (int h = 0; h < REALS; h++) x.is[h] = a->is[h] & ~b->is[h];
    return x;
}

static inline uint32_t predictor_at(const grn_tree_in_t *in, size_t node, size_t place)
{
    size_t k = in->start + place;
    return in->order[node * in->p + (k < in->p ? k : k - in->p)];
}

static inline size_t column_of(const grn_tree_in_t *in, uint32_t predictor)
{
    return in->column ? in->column[predictor] : predictor;
}

/* ---- sums over cells ---- */

static inline void settle_sum(part_t *p, row_t sum, const row_t *count)
{
    for (int w = 0; w < WORDS; w++) sum.w[w] -= count->w[w] * GRN_TREE_BIAS;
    for (int h = 0; h < REALS; h++) {
        p->sum[h] += row_real(&sum, h);
        p->count[h] += row_real(count, h);
    }
}

static inline void add_row(const row_t *x, int32_t key, row_t *sum, row_t *count)
{
    for (int w = 0; w < WORDS; w++) {
#if LANES > 1 && defined(__AVX512F__)
        __m512i y = _mm512_xor_si512((__m512i)x->w[w], _mm512_set1_epi32(key));
        __mmask16 in = _mm512_cmplt_epi32_mask(y, _mm512_set1_epi32(GRN_TREE_LIMIT));
        sum->w[w] = (word_t)_mm512_mask_add_epi32((__m512i)sum->w[w], in, (__m512i)sum->w[w], y);
        count->w[w] = (word_t)_mm512_mask_add_epi32((__m512i)count->w[w], in, (__m512i)count->w[w], _mm512_set1_epi32(1));
#else
        word_t y = x->w[w] ^ key, in = MASK(y < GRN_TREE_LIMIT);
        sum->w[w] += y & in;
        count->w[w] -= in;
#endif
    }
}

/* Adds cells [cell, stop) that are in the node of `key`. */
#define ADD_CELLS(name, cell_t)                                                                                         \
    static inline void name(const row_t *x, const cell_t *cell, const cell_t *stop, int32_t key, part_t *p)             \
    {                                                                                                                    \
        for (; stop - cell >= ROOM; cell += ROOM) {                                                                      \
            row_t sum = { 0 }, count = { 0 };                                                                            \
            _Pragma("GCC unroll 8") for (size_t k = 0; k < ROOM; k++) add_row(&x[cell[k]], key, &sum, &count);           \
            settle_sum(p, sum, &count);                                                                                  \
        }                                                                                                                \
        if (cell == stop) return;                                                                                        \
        row_t sum = { 0 }, count = { 0 };                                                                                \
        _Pragma("GCC unroll 1") for (; cell < stop; cell++) add_row(&x[*cell], key, &sum, &count);                       \
        settle_sum(p, sum, &count);                                                                                      \
    }
ADD_CELLS(add_cells, uint32_t)
#if LANES > 1
ADD_CELLS(add_cells_of_block, uint16_t)
#endif

/* Is splitting `moved` off better than the best so far? */
static inline void compare(const part_t *moved, int64_t which, const set_t *allow, best_t *x)
{
    whole_t better[REALS], some = { 0 };
    real_t num[REALS], den[REALS];
    for (int h = 0; h < REALS; h++) {
        real_t n = moved->count[h], a = moved->sum[h] * x->total.count[h] - x->total.sum[h] * n;
        den[h] = n * (x->total.count[h] - n);
        num[h] = a * a;
        better[h] = MASK(num[h] * x->den[h] > x->num[h] * den[h]) & allow->is[h];
        some |= better[h];
    }
    if (!any(some)) return;
    for (int h = 0; h < REALS; h++) {
        x->num[h] = pick_real(better[h], num[h], x->num[h]);
        x->den[h] = pick_real(better[h], den[h], x->den[h]);
        x->which[h] = pick(better[h], (whole_t){ 0 } + which, x->which[h]);
        x->moved.sum[h] = pick_real(better[h], moved->sum[h], x->moved.sum[h]);
        x->moved.count[h] = pick_real(better[h], moved->count[h], x->moved.count[h]);
    }
}

/* Runs [begin, end) of one side of the rest, outermost first: every boundary behind a run is a split. */
static inline void walk_side(const grn_bins_t *b, const row_t *x, int32_t key, uint64_t begin, uint64_t end, int64_t which,
                             const set_t *allow, best_t *best)
{
    part_t moved = { 0 };
    const uint32_t *cell = b->cell + b->cell_off[begin];
    best_t local = *best;
    for (uint64_t r = begin; r < end; r++) {
        const uint32_t *stop = b->cell + b->cell_off[r + 1];
        add_cells(x, cell, stop, key, &moved);
        cell = stop;
        compare(&moved, which + (int64_t)r, allow, &local);
    }
    *best = local;
}

/* The same from the sums of the runs. */
static inline void walk_parts(const part_t *part, uint64_t begin, uint64_t end, int64_t which, const set_t *allow, best_t *best)
{
    part_t moved = { 0 };
    best_t local = *best;
    for (uint64_t r = begin; r < end; r++, part++) {
        for (int h = 0; h < REALS; h++) {
            moved.sum[h] += part->sum[h];
            moved.count[h] += part->count[h];
        }
        compare(&moved, which + (int64_t)r, allow, &local);
    }
    *best = local;
}

static inline void walk(const grn_tree_in_t *in, const row_t *x, int32_t key, uint32_t predictor, size_t place, const set_t *allow,
                        best_t *best)
{
    const grn_bins_t *b = in->bins;
    size_t j = column_of(in, predictor);
    uint64_t begin = b->run_off[j], middle = begin + b->n_above[j], end = b->run_off[j + 1];
    int64_t which = (int64_t)((uint64_t)place << 32) - (int64_t)begin;
    if (begin < middle) walk_side(b, x, key, begin, middle, which, allow, best);
    if (middle < end) walk_side(b, x, key, middle, end, which, allow, best);
}

/* ---- search ---- */

static inline int in_node(const row_t *x, size_t cell, int32_t key, int lane)
{
    return (((const int32_t *)x)[cell * LANES + (size_t)lane] ^ key) < GRN_TREE_LIMIT;
}

/* All residuals of the lane's node are the same. */
static int is_pure(const grn_tree_in_t *in, const row_t *x, int32_t key, int lane)
{
    int32_t first = 0;
    int some = 0;
    for (size_t i = 0; i < in->bins->n; i++) {
        if (!in_node(x, i, key, lane)) continue;
        int32_t y = ((const int32_t *)x)[i * LANES + (size_t)lane];
        if (some && y != first) return 0;
        first = y;
        some = 1;
    }
    return 1;
}

static set_t selves(const grn_tree_lanes_t *l, uint32_t predictor)
{
    set_t s = { 0 };
    for (int i = 0; i < LANES; i++)
        if (l->self[i] == predictor) put(&s, i, 1);
    return s;
}

typedef struct { /* a node that is being searched */
    best_t best;
    set_t open, self; /* lanes where it may be split; those that met themselves */
} node_t;

static void begin_node(const part_t *total, node_t *x)
{
    best_t *b = &x->best;
    memset(x, 0, sizeof *x);
    b->total = *total;
    for (int h = 0; h < REALS; h++) {
        real_t noise = total->sum[h] * total->count[h] * 0x1p-50; /* of rounding, where all residuals are the same */
        b->num[h] = noise * noise;
        b->den[h] = (real_t){ 0 } + 1;
        b->which[h] = (whole_t){ 0 } - 1;
        x->open.is[h] = MASK(total->count[h] > 1);
    }
}

/* Lanes of `open` without a split whose residuals differ. */
static set_t without_split(const grn_tree_in_t *in, const row_t *x, int32_t key, const node_t *node)
{
    set_t need = node->open;
    for (int i = 0; i < LANES; i++)
        if (has(&need, i) && (AT(node->best.which[i / WIDE], i % WIDE) >= 0 || is_pure(in, x, key, i))) put(&need, i, 0);
    return need;
}

/* The predictor at `place` of node k: which lanes may split by it. */
static inline set_t allowed(const grn_tree_lanes_t *l, uint32_t predictor, node_t *node)
{
    set_t own = selves(l, predictor);
    for (int h = 0; h < REALS; h++) node->self.is[h] |= own.is[h];
    return minus(&node->open, &own);
}

/* Looks at the first m predictors of node k; the target itself is none. */
static void look(const grn_tree_in_t *in, const grn_tree_lanes_t *l, int32_t key, size_t k, node_t *node)
{
    for (size_t place = 0; place < in->m; place++) {
        uint32_t predictor = predictor_at(in, k, place);
        set_t allow = allowed(l, predictor, node);
        walk(in, (const row_t *)l->r, key, predictor, place, &allow, &node->best);
    }
}

/* Lanes that met themselves look at one more; where all were constant within the node, at more, until one is not. */
static void look_further(const grn_tree_in_t *in, const grn_tree_lanes_t *l, int32_t key, size_t k, node_t *node)
{
    const row_t *x = (const row_t *)l->r;
    size_t place = in->m;
    for (int h = 0; h < REALS; h++) node->self.is[h] &= node->open.is[h];
    if (place < in->p && is_some(&node->self)) walk(in, x, key, predictor_at(in, k, place), place, &node->self, &node->best);
    for (set_t need = without_split(in, x, key, node); place < in->p && is_some(&need); place++) {
        uint32_t predictor = predictor_at(in, k, place);
        set_t own = selves(l, predictor), allow = minus(&need, &own);
        walk(in, x, key, predictor, place, &allow, &node->best);
        for (int h = 0; h < REALS; h++) need.is[h] &= MASK(node->best.which[h] < 0);
    }
}

/* ---- a split, lane by lane ---- */

typedef struct { /* one lane of a node */
    const grn_bins_t *b;
    const row_t *x;
    int32_t key;
    int lane;
} view_t;

static int run_in_node(const view_t *v, uint64_t run)
{
    for (uint64_t k = v->b->cell_off[run]; k < v->b->cell_off[run + 1]; k++)
        if (in_node(v->x, v->b->cell[k], v->key, v->lane)) return 1;
    return 0;
}

/* The node has cells with the value that is not stored. */
static int has_rest(const view_t *v, size_t j, double count)
{
    size_t stored = 0;
    for (uint64_t k = v->b->cell_off[v->b->run_off[j]]; k < v->b->cell_off[v->b->run_off[j + 1]]; k++)
        stored += (size_t)in_node(v->x, v->b->cell[k], v->key, v->lane);
    return (double)stored < count;
}

typedef struct { /* cells that move: those of runs [begin, end) */
    uint64_t begin, end;
    int above;
    double threshold;
} moves_t;

/* The threshold lies in the middle between the values of the node on either side of the boundary behind `run`, as scikit-learn has it:
 * which way go cells that are not of the node's sample and lie between. */
static moves_t settle(const view_t *v, size_t j, uint64_t run, double count)
{
    const grn_bins_t *b = v->b;
    uint64_t begin = b->run_off[j], middle = begin + b->n_above[j], end = b->run_off[j + 1], k = run + 1;
    int above = run < middle;
    double here = above ? b->low[run] : b->high[run], there = b->rest[j];
    for (; k < (above ? middle : end) && !run_in_node(v, k); k++) {}
    if (k < (above ? middle : end)) {
        there = above ? b->high[k] : b->low[k];
    } else if ((above ? end > middle : middle > begin) && !has_rest(v, j, count)) {
        for (k = above ? end : middle; k-- > begin;) /* the innermost of the other side */
            if (run_in_node(v, k)) break;
        there = above ? b->high[k] : b->low[k];
    }
    double threshold = (here + there) / 2;
    if (!(threshold < (above ? here : there))) threshold = above ? there : here; /* neighbours in float */
    above = threshold >= b->rest[j];
    moves_t m = { above ? begin : middle, above ? begin : middle, above, threshold };
    while (m.end < (above ? middle : end) && (above ? b->low[m.end] > threshold : b->high[m.end] <= threshold)) m.end++;
    return m;
}

/* Moves the lane's cells; many lanes: marks them, for move_marked. */
static void move(const grn_tree_in_t *in, grn_tree_lanes_t *l, const moves_t *m, int level, unsigned slot, int lane)
{
    const grn_bins_t *b = in->bins;
    const uint32_t *cell = b->cell + b->cell_off[m->begin], *stop = b->cell + b->cell_off[m->end];
#if LANES > 1
    uint16_t *mark = l->mark + slot * b->n, bit = (uint16_t)(1u << lane);
    (void)level;
    for (; cell < stop; cell++) mark[*cell] |= bit;
#else
    (void)lane;
    for (; cell < stop; cell++) {
        int32_t *x = l->r + *cell;
        *x += (int32_t)((*x & LEAF_MASK) == (int32_t)slot * LEAF_ONE) * (LEAF_ONE << level);
    }
#endif
}

/* Marked cells [begin, end) of the level's nodes move. */
static inline void move_marked(grn_tree_lanes_t *l, size_t n, int level, size_t begin, size_t end)
{
#if LANES > 1
    row_t *x = (row_t *)l->r;
    for (size_t i = begin; i < end; i++) {
        uint16_t mark[4];
        for (int s = 0; s < 1 << level; s++) {
            mark[s] = l->mark[(size_t)s * n + i];
            l->mark[(size_t)s * n + i] = 0;
        }
        for (int w = 0; w < WORDS; w++) {
            word_t word = x[i].w[w], leaf = word & LEAF_MASK;
#if defined(__AVX512F__)
            unsigned go = 0;
            for (int s = 0; s < 1 << level; s++)
                go |= _mm512_mask_cmpeq_epi32_mask(mark[s], (__m512i)leaf, _mm512_set1_epi32(s * LEAF_ONE));
            x[i].w[w] =
                (word_t)_mm512_mask_add_epi32((__m512i)word, (__mmask16)go, (__m512i)word, _mm512_set1_epi32(LEAF_ONE << level));
#else
            word_t bit, go = { 0 };
            for (size_t k = 0; k < BYTES / 4; k++) bit[k] = 1 << ((size_t)w * (BYTES / 4) + k);
            for (int s = 0; s < 1 << level; s++) go |= MASK((bit & (int32_t)mark[s]) == bit) & MASK(leaf == s * LEAF_ONE);
            x[i].w[w] = word + (go & LEAF_ONE << level);
#endif
        }
    }
#else
    (void)l, (void)n, (void)level, (void)begin, (void)end;
#endif
}

static void split_node(const grn_tree_in_t *in, grn_tree_lanes_t *l, int level, unsigned slot, const node_t *node, part_t *total)
{
    size_t k = (1u << level) - 1 + slot;
    unsigned child = slot + (1u << level);
    const best_t *best = &node->best;
    view_t v = { in->bins, (const row_t *)l->r, (int32_t)slot * LEAF_ONE, 0 };
    total[child] = (part_t){ 0 };
    for (int i = 0; i < LANES; i++) {
        grn_tree_split_t *s = &l->split[i][k];
        int h = i / WIDE, at = i % WIDE;
        s->predictor = GRN_TREE_NOBODY;
        int64_t which = AT(best->which[h], at);
        if (which < 0) continue;
        v.lane = i;
        s->predictor = predictor_at(in, k, (size_t)(which >> 32));
        size_t j = column_of(in, s->predictor);
        uint64_t run = in->bins->run_off[j] + (uint32_t)which;
        moves_t m = settle(&v, j, run, get(best->total.count, i));
        s->above = (uint8_t)m.above;
        s->threshold = m.threshold;
        if (l->live[i]) l->importance[i][s->predictor] += get(best->num, i) / (get(best->den, i) * get(best->total.count, i));
        move(in, l, &m, level, slot, i);
        double sum = get(best->moved.sum, i), count = get(best->moved.count, i);
        if (m.above != (run < in->bins->run_off[j] + in->bins->n_above[j])) { /* the others move */
            sum = get(best->total.sum, i) - sum;
            count = get(best->total.count, i) - count;
        }
        AT(total[child].sum[h], at) = sum;
        AT(total[child].count[h], at) = count;
        AT(total[slot].sum[h], at) -= sum;
        AT(total[slot].count[h], at) -= count;
    }
}

/* ---- a level ---- */

/* Cells [begin, end) at the start of a tree: those in out[*at..] are not seen; the others are told. */
static void begin_cells(const grn_tree_in_t *in, grn_tree_lanes_t *l, size_t begin, size_t end, size_t *at, part_t *total)
{
    row_t *x = (row_t *)l->r;
    for (; *at < in->n_out && in->out[*at] < end; ++*at)
        for (int w = 0; w < WORDS; w++) x[in->out[*at]].w[w] |= UNSEEN;
    for (size_t i = begin; i < end;) {
        row_t sum = { 0 }, count = { 0 };
        for (size_t stop = end - i < ROOM ? end : i + ROOM; i < stop; i++) add_row(&x[i], 0, &sum, &count);
        settle_sum(total, sum, &count);
    }
}

/* Before the nodes of a level look at cells [begin, end). */
static void prepare(const grn_tree_in_t *in, grn_tree_lanes_t *l, int level, size_t begin, size_t end, size_t *at, part_t *total)
{
    if (level == 0) begin_cells(in, l, begin, end, at, total);
    else move_marked(l, in->bins->n, level - 1, begin, end);
}

/* Lanes that are done have no cells. */
static void leave_out_done(const grn_tree_lanes_t *l, part_t *total)
{
    for (int i = 0; i < LANES; i++)
        if (!l->live[i]) AT(total->sum[i / WIDE], i % WIDE) = AT(total->count[i / WIDE], i % WIDE) = 0;
}

/* Before the nodes of a level look at all cells. */
static void begin_level(const grn_tree_lanes_t *l, int level, part_t *total, node_t *node)
{
    if (level == 0) leave_out_done(l, total);
    for (unsigned slot = 0; slot < 1u << level; slot++) begin_node(&total[slot], &node[slot]);
}

#if LANES > 1
/* Places of a level, m to a node: [first, last) as there is room for the sums of their runs. */
typedef struct {
    size_t first, last;
} places_t;

static uint64_t runs_at(const grn_tree_in_t *in, int level, size_t i, uint64_t *first)
{
    size_t j = column_of(in, predictor_at(in, (1u << level) - 1 + i / in->m, i % in->m));
    *first = in->bins->run_off[j];
    return in->bins->run_off[j + 1] - *first;
}

static places_t next_places(const grn_tree_in_t *in, int level, size_t first)
{
    size_t i = first;
    uint64_t room = in->blocks->n_parts, run;
    for (; i < in->m << level; i++) {
        uint64_t n = runs_at(in, level, i, &run);
        if (n > room) break;
        room -= n;
    }
    return (places_t){ first, i };
}

/* Sums of the runs at these places, one after the other; on the way, prepares the level. */
static void add_places(const grn_tree_in_t *in, grn_tree_lanes_t *l, int level, places_t at, part_t *total)
{
    const grn_tree_blocks_t *b = in->blocks;
    size_t n = in->bins->n, out_at = 0;
    for (size_t k = 0; k < b->n_blocks; k++) {
        const row_t *x = (const row_t *)l->r + k * b->size;
        part_t *part = l->part;
        if (at.first == 0) prepare(in, l, level, k * b->size, k + 1 < b->n_blocks ? (k + 1) * b->size : n, &out_at, total);
        for (size_t i = at.first; i < at.last; i++) {
            uint64_t run, n_runs = runs_at(in, level, i, &run);
            const uint64_t *off = b->off + run * b->n_blocks + k * n_runs;
            for (part_t *end = part + n_runs; part < end; part++, off++) {
                if (k == 0) *part = (part_t){ 0 };
                add_cells_of_block(x, b->cell + off[0], b->cell + off[1], (int32_t)(i / in->m) * LEAF_ONE, part);
            }
        }
    }
}

/* What look() does for all nodes of the level. */
static void look_by_blocks(const grn_tree_in_t *in, grn_tree_lanes_t *l, int level, part_t *total, node_t *node)
{
    for (places_t at = next_places(in, level, 0); at.first < at.last; at = next_places(in, level, at.last)) {
        const part_t *part = l->part;
        add_places(in, l, level, at, total);
        if (at.first == 0) begin_level(l, level, total, node);
        for (size_t i = at.first; i < at.last; i++) {
            size_t slot = i / in->m, place = i % in->m;
            uint32_t predictor = predictor_at(in, (1u << level) - 1 + slot, place);
            size_t j = column_of(in, predictor);
            uint64_t begin = in->bins->run_off[j], middle = begin + in->bins->n_above[j], end = in->bins->run_off[j + 1];
            int64_t which = (int64_t)((uint64_t)place << 32) - (int64_t)begin;
            set_t allow = allowed(l, predictor, &node[slot]);
            walk_parts(part, begin, middle, which, &allow, &node[slot].best);
            walk_parts(part + (middle - begin), middle, end, which, &allow, &node[slot].best);
            part += end - begin;
        }
    }
}
#endif

static void search_level(const grn_tree_in_t *in, grn_tree_lanes_t *l, int level, part_t *total, node_t *node)
{
    size_t out_at = 0;
#if LANES > 1
    if (in->blocks->n_blocks > 1) {
        look_by_blocks(in, l, level, total, node);
    } else
#endif
    {
        prepare(in, l, level, 0, in->bins->n, &out_at, total);
        begin_level(l, level, total, node);
        for (unsigned slot = 0; slot < 1u << level; slot++)
            if (is_some(&node[slot].open)) look(in, l, (int32_t)slot * LEAF_ONE, (1u << level) - 1 + slot, &node[slot]);
    }
    for (unsigned slot = 0; slot < 1u << level; slot++)
        if (is_some(&node[slot].open)) look_further(in, l, (int32_t)slot * LEAF_ONE, (1u << level) - 1 + slot, &node[slot]);
}

/* ---- a tree ---- */

static void steps(const grn_tree_in_t *in, grn_tree_lanes_t *l, const part_t *total)
{
    for (int i = 0; i < LANES; i++) {
        for (int k = 0; k < GRN_TREE_LEAVES; k++) {
            double count = get(total[k].count, i), sum = get(total[k].sum, i);
            l->step[i][k] = count > 0 ? (int32_t)llrint(in->rate * sum / count) : 0;
        }
    }
}

/* Steps of the leaves, chosen by the bits of the leaf's number. */
static inline word_t step_of(const row_t step[GRN_TREE_LEAVES], word_t word, int w)
{
    word_t b0 = MASK((word & LEAF_ONE) != 0), b1 = MASK((word & LEAF_ONE * 2) != 0), b2 = MASK((word & LEAF_ONE * 4) != 0), x[4], y[2];
    for (int k = 0; k < 4; k++) x[k] = pick_word(b2, step[k + 4].w[w], step[k].w[w]);
    for (int k = 0; k < 2; k++) y[k] = pick_word(b1, x[k + 2], x[k]);
    return pick_word(b0, y[1], y[0]);
}

/* What the steps gain in an unseen cell. */
static inline void add_gain(const row_t *x, const row_t step[GRN_TREE_LEAVES], real_t gain[REALS])
{
    row_t off, r;
    for (int w = 0; w < WORDS; w++) {
        off.w[w] = step_of(step, x->w[w], w);
        r.w[w] = (x->w[w] & VALUE_MASK) - GRN_TREE_BIAS;
    }
    for (int h = 0; h < REALS; h++) gain[h] += row_real(&off, h) * (2 * row_real(&r, h) - row_real(&off, h));
}

/* Takes the leaves' steps off the residuals; what that gains where the tree did not see is told. */
static void update(const grn_tree_in_t *in, grn_tree_lanes_t *l)
{
    row_t *x = (row_t *)l->r, step[GRN_TREE_LEAVES];
    real_t gain[REALS] = { 0 };
    size_t n = in->bins->n, k = 0;
    for (int leaf = 0; leaf < GRN_TREE_LEAVES; leaf++)
        for (int i = 0; i < LANES; i++) ((int32_t *)&step[leaf])[i] = l->step[i][leaf];
    for (size_t begin = 0, end; begin < n; begin = end) { /* pieces, once through the cache */
        end = n - begin < PIECE ? n : begin + PIECE;
        move_marked(l, n, 2, begin, end);
        for (; k < in->n_out && in->out[k] < end; k++) add_gain(&x[in->out[k]], step, gain);
        for (size_t i = begin; i < end; i++) {
            for (int w = 0; w < WORDS; w++) {
                word_t word = x[i].w[w], r = (word & VALUE_MASK) - step_of(step, word, w), most = { 0 };
                most += VALUE_MASK;
                r = r & ~MASK(r < 0);
                x[i].w[w] = pick_word(MASK(r > most), most, r);
            }
        }
    }
    for (int i = 0; i < LANES; i++) l->gain[i] = get(gain, i);
}

static void grow(const grn_tree_in_t *in, grn_tree_lanes_t *l)
{
    part_t total[GRN_TREE_LEAVES];
    node_t node[4];
    memset(total, 0, sizeof total);
    for (int level = 0; level < 3; level++) {
        search_level(in, l, level, total, node);
        for (unsigned slot = 0; slot < 1u << level; slot++) split_node(in, l, level, slot, &node[slot], total);
    }
    steps(in, l, total);
    update(in, l);
}

const grn_tree_fn TREE = grow;
