#include "pseudobulk.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

typedef struct {
    uint32_t *v; /* start, end, start, end ... */
    size_t n, cap;
    uint64_t n_rows, row_bp;
} bucket_t;

typedef struct {
    bucket_t *bucket; /* (chroms met, n_types) */
    size_t cap;
    uint8_t *seen; /* (cells met) bits would save nothing that matters */
    size_t seen_cap;
} gatherer_t;

struct grn_gather_s {
    gatherer_t *worker;
    int n;
};

grn_status grn_pseudobulk_init(grn_pseudobulk_t *p, grn_par_t *pool)
{
    grn_status rc = GRN_NEW(p->gather, 1);
    if (!rc) rc = GRN_NEW(p->gather->worker, (size_t)(p->gather->n = grn_par_n(pool)));
    return rc;
}

static void gather_free(grn_gather_t *g)
{
    for (int w = 0; g && g->worker && w < g->n; w++) {
        for (size_t i = 0; i < g->worker[w].cap; i++) free(g->worker[w].bucket[i].v);
        free(g->worker[w].bucket);
        free(g->worker[w].seen);
    }
    if (g) free(g->worker);
    free(g);
}

void grn_pseudobulk_clear(grn_pseudobulk_t *p)
{
    for (size_t i = 0; p->track && i < p->n_types * p->pass.chroms.n; i++) {
        free(p->track[i].start);
        free(p->track[i].end);
    }
    gather_free(p->gather);
    free(p->track);
    free(p->chrom_order);
    grn_fragpass_clear(&p->pass);
    memset(p, 0, sizeof *p);
}

static grn_status grow_zeroed(void **p, size_t *cap, size_t need, size_t size)
{
    size_t old = *cap;
    grn_status rc = grn_grow(p, cap, need, size);
    if (!rc && *cap > old) memset((char *)*p + old * size, 0, (*cap - old) * size);
    return rc;
}

static grn_status take_batch(void *ctx, const grn_frag_t *f, size_t n, int worker)
{
    grn_pseudobulk_t *p = ctx;
    gatherer_t *g = &p->gather->worker[worker];
    grn_status rc = GRN_OK;
    for (size_t i = 0; i < n; i++) {
        int32_t type = p->type ? p->type[f[i].cell] : 0;
        if (type < 0) continue;
        if (f[i].cell >= g->seen_cap) GRN_TRY(grow_zeroed((void **)&g->seen, &g->seen_cap, (size_t)f[i].cell + 1, 1));
        g->seen[f[i].cell] = 1;
        size_t at = (size_t)f[i].chrom * p->n_types + (size_t)type, times = p->by_count ? f[i].count : 1;
        if (at >= g->cap) GRN_TRY(grow_zeroed((void **)&g->bucket, &g->cap, at + 1, sizeof *g->bucket));
        bucket_t *b = &g->bucket[at];
        if (b->n + 2 * times > b->cap) GRN_TRY(GRN_GROW(b->v, b->cap, b->n + 2 * times));
        b->n_rows++;
        b->row_bp += f[i].end - f[i].start;
        for (; times; times--) {
            b->v[b->n++] = f[i].start;
            b->v[b->n++] = f[i].end;
        }
    }
end:
    return rc;
}

grn_status grn_pseudobulk_file(grn_pseudobulk_t *p, const char *path, const char *prefix, const char *suffix, grn_par_t *pool)
{
    return grn_fragpass_run(&p->pass, path, prefix, suffix, pool, take_batch, p);
}

typedef struct {
    grn_pseudobulk_t *p;
    grn_track_scratch_t *scratch;
} finish_t;

/* The buckets of all workers become one sorted track. */
static grn_status track_work(void *ctx, size_t begin, size_t end, int worker)
{
    finish_t *f = ctx;
    grn_pseudobulk_t *p = f->p;
    grn_status rc = GRN_OK;
    const size_t n_chroms = p->pass.chroms.n;
    for (size_t i = begin; i < end; i++) {
        grn_track_t *t = &p->track[i];
        const size_t at = p->chrom_order[i % n_chroms] * p->n_types + i / n_chroms;
        size_t n = 0;
        for (int w = 0; w < p->gather->n; w++)
            if (at < p->gather->worker[w].cap) n += p->gather->worker[w].bucket[at].n / 2;
        GRN_TRY(GRN_NEW_RAW(t->start, n));
        GRN_TRY(GRN_NEW_RAW(t->end, n));
        for (int w = 0; w < p->gather->n; w++) {
            if (at >= p->gather->worker[w].cap) continue;
            bucket_t *b = &p->gather->worker[w].bucket[at];
            for (size_t k = 0; k < b->n; k += 2, t->n++) {
                t->start[t->n] = b->v[k];
                t->end[t->n] = b->v[k + 1];
            }
            t->n_rows += b->n_rows;
            t->row_bp += b->row_bp;
            free(b->v);
            *b = (bucket_t){ 0 };
        }
        GRN_TRY(grn_track_sort(t, &f->scratch[worker]));
    }
end:
    return rc;
}

grn_status grn_pseudobulk_finish(grn_pseudobulk_t *p, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    finish_t f = { .p = p };
    const size_t n = p->n_types * p->pass.chroms.n;
    GRN_TRY(GRN_NEW(f.scratch, (size_t)p->gather->n));
    GRN_TRY(GRN_NEW_RAW(p->chrom_order, p->pass.chroms.n));
    GRN_TRY(grn_names_sort(&p->pass.chroms, p->chrom_order));
    for (size_t c = 0; c < p->pass.cells.n; c++) {
        int seen = 0;
        for (int w = 0; w < p->gather->n; w++) seen |= c < p->gather->worker[w].seen_cap && p->gather->worker[w].seen[c];
        p->n_cells_seen += (size_t)seen;
    }
    GRN_TRY(GRN_NEW(p->track, n));
    GRN_TRY(grn_par_for(pool, n, 1, track_work, &f));
end:
    for (int w = 0; f.scratch && w < p->gather->n; w++) free(f.scratch[w].tmp);
    free(f.scratch);
    gather_free(p->gather);
    p->gather = NULL;
    return rc;
}
