/* The change is handed on: blocks of cells, all genes of a block in rounds. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "perturb_priv.h"

#define BLOCK 1024          /* cells at a time, at most; a multiple of CELLS */
#define CELLS 64            /* whose rows of changes are made together */
#define SMALLEST 1e-6       /* --compat: a prediction to divide by */
#define LARGEST 0x1p60f     /* change that sums have room for */

void grn_perturb_result_clear(grn_perturb_result_t *r)
{
    if (r->fd >= 0) close(r->fd);
    free(r->off);
    free(r->n);
    free(r->sum);
    free(r->base);
    *r = (grn_perturb_result_t){ .fd = -1 };
}

typedef struct { /* of one worker */
    float *x;         /* (TFs of the gene, 2 n) values before and after of the cells with a change */
    int64_t *sum;     /* (2 n) */
    uint32_t *cell;   /* (n) places in the block */
    uint8_t *changed; /* (B) */
    uint8_t *touched; /* (TFs) */
    size_t x_cap, touched_cap;
    uint64_t n_guarded;
} scratch_t;

typedef struct {
    grn_perturb_t *p;
    grn_perturb_result_t *r;
    grn_perturb_eval_fn eval;
    size_t B, n;              /* room, cells at hand */
    uint32_t *slot;           /* (columns of the matrix) place in net.used; NONE */
    uint32_t *out_at;         /* (net.n) column of the output; NONE */
    float *e;                 /* (n_used, B) expression */
    uint32_t *cell;           /* (B) */
    int32_t *type;            /* (B); NULL: no summary */
    float *room;              /* (n_moving, 3, B) later values */
    float *permuted;          /* (n_what, B) values of the perturbed genes at the beginning of a run of the baseline */
    uint32_t *moving_at;      /* (net.n) place in net.moving; NONE */
    const float **start, **before, **now; /* (net.n) values of a node: at the beginning of the run, in the last and in this round */
    const float **next;       /* (n_fit) NULL: it stays */
    size_t run;
    scratch_t *scratch;
    int n_workers;
    /* rows of changes */
    uint32_t *row_n;          /* (B) */
    uint64_t *row_off;        /* (B + 1) */
    grn_perturb_entry_t *entry;
    size_t entry_cap;
} cells_t;

static void cells_clear(cells_t *c)
{
    for (int w = 0; c->scratch && w < c->n_workers; w++) {
        free(c->scratch[w].x);
        free(c->scratch[w].sum);
        free(c->scratch[w].cell);
        free(c->scratch[w].changed);
        free(c->scratch[w].touched);
    }
    free(c->scratch);
    free(c->slot);
    free(c->out_at);
    free(c->e);
    free(c->cell);
    free(c->type);
    free(c->room);
    free(c->permuted);
    free(c->moving_at);
    free(c->start);
    free(c->before);
    free(c->now);
    free(c->next);
    free(c->row_n);
    free(c->row_off);
    free(c->entry);
}

/* ---- one gene ---- */

/* Cells where a TF of node g changed in the last round, and which TFs did. */
static size_t find_changed(const cells_t *c, size_t g, scratch_t *s)
{
    const grn_perturb_net_t *net = &c->p->net;
    size_t n = 0;
    int any = 0;
    memset(s->changed, 0, c->n);
    for (uint64_t k = net->off[g]; k < net->off[g + 1]; k++) {
        const float *a = c->before[net->tf[k]], *b = c->now[net->tf[k]];
        uint8_t touched = 0;
        for (size_t i = 0; a != b && i < c->n; i++) {
            uint8_t differs = a[i] != b[i];
            s->changed[i] |= differs;
            touched |= differs;
        }
        s->touched[k - net->off[g]] = touched;
        any |= touched;
    }
    for (size_t i = 0; any && i < c->n; i++) {
        s->cell[n] = (uint32_t)i;
        n += s->changed[i];
    }
    return n;
}

static float next_value(const cells_t *c, const grn_perturb_model_t *m, float now, int64_t before_sum, int64_t now_sum, uint64_t *n_guarded)
{
    if (!c->p->opt->compat) return (float)fmax(0, now + ldexp((double)(now_sum - before_sum), -m->scale));
    double a = m->mean + ldexp((double)before_sum, -m->scale), b = m->mean + ldexp((double)now_sum, -m->scale);
    if (fabs(a) < SMALLEST) {
        *n_guarded += c->run == 0;
        return now;
    }
    return (float)(now * b / a);
}

/* Room for the next values of moving node k: the one of three that neither the last nor this round uses. */
static float *free_room(const cells_t *c, size_t g)
{
    float *room = c->room + (size_t)c->moving_at[g] * 3 * c->B;
    for (int k = 0; k < 2; k++, room += c->B)
        if (room != c->before[g] && room != c->now[g]) break;
    return room;
}

/* The next values of fit node k. */
static grn_status update_gene(cells_t *c, size_t k, scratch_t *s)
{
    grn_status rc = GRN_OK;
    const grn_perturb_net_t *net = &c->p->net;
    size_t g = net->fit[k], p = net->off[g + 1] - net->off[g], n, stride;
    const grn_perturb_model_t *m = grn_perturb_model(&c->p->models, k, c->run);
    c->next[k] = NULL;
    GRN_TRY(GRN_GROW(s->touched, s->touched_cap, p));
    n = m->n_trees ? find_changed(c, g, s) : 0;
    if (n == 0) goto end;
    stride = (2 * n + GRN_PERTURB_LANES - 1) / GRN_PERTURB_LANES * GRN_PERTURB_LANES;
    GRN_TRY(GRN_GROW(s->x, s->x_cap, p * stride));
    for (size_t j = 0; j < p; j++) {
        const float *a = c->before[net->tf[net->off[g] + j]], *b = c->now[net->tf[net->off[g] + j]];
        float *x = s->x + j * stride;
        for (size_t i = 0; i < n; i++) x[i] = a[s->cell[i]];
        for (size_t i = 0; i < n; i++) x[n + i] = b[s->cell[i]];
        for (size_t i = 2 * n; i < stride; i++) x[i] = 0;
    }
    memset(s->sum, 0, stride * sizeof *s->sum);
    c->eval(grn_perturb_trees(m), m->n_trees, c->p->opt->compat ? NULL : s->touched, s->x, stride, stride, s->sum);
    float *to = free_room(c, g);
    memcpy(to, c->now[g], c->n * sizeof *to);
    for (size_t i = 0; i < n; i++) to[s->cell[i]] = next_value(c, m, to[s->cell[i]], s->sum[i], s->sum[n + i], &s->n_guarded);
    c->next[k] = to;
end:
    return rc;
}

static grn_status update_work(void *ctx, size_t begin, size_t end, int worker)
{
    grn_status rc = GRN_OK;
    cells_t *c = ctx;
    for (size_t k = begin; k < end && rc == GRN_OK; k++) rc = update_gene(c, k, &c->scratch[worker]);
    return rc;
}

/* ---- one run over a block ---- */

/* Values at the beginning of a run, and the perturbed ones in place of them. */
static void begin_run(cells_t *c)
{
    const grn_perturb_t *p = c->p;
    const grn_perturb_net_t *net = &p->net;
    size_t K = p->opt->n_what, C = p->cells.n;
    for (size_t k = 0; k < net->n_used; k++) {
        size_t g = net->used[k];
        c->start[g] = c->before[g] = c->now[g] = c->e + k * c->B;
    }
    for (size_t k = 0; k < K; k++) {
        size_t g = net->perturbed[k];
        float *to = c->room + (size_t)c->moving_at[g] * 3 * c->B, *from = c->permuted + k * c->B;
        if (c->run) {
            for (size_t i = 0; i < c->n; i++) from[i] = p->models.permuted[((c->run - 1) * K + k) * C + c->cell[i]];
            c->start[g] = c->before[g] = from;
        }
        for (size_t i = 0; i < c->n; i++) to[i] = grn_perturbed_value(&p->opt->what[k], p->opt->expression, c->start[g][i]);
        c->now[g] = to;
    }
}

static void end_round(cells_t *c)
{
    const grn_perturb_net_t *net = &c->p->net;
    for (size_t k = 0; k < net->n_moving; k++) c->before[net->moving[k]] = c->now[net->moving[k]];
    for (size_t k = 0; k < net->n_fit; k++)
        if (c->next[k]) c->now[net->fit[k]] = c->next[k];
}

/* ---- sums and rows ---- */

static __int128 to_units(float x)
{
    return (__int128)rint(ldexp(x, GRN_PERTURB_UNIT));
}

static grn_status add_cell(const cells_t *c, size_t k, size_t i, size_t n_types)
{
    const grn_perturb_net_t *net = &c->p->net;
    size_t g = net->moving[k];
    float before = c->start[g][i], d = grn_perturb_change(before, c->now[g][i]);
    if (!(fabsf(d) < LARGEST)) {
        return grn_err(GRN_ENONFINITE, "%s changes by %g in cell %s: --compat divides by predictions near 0 (leave it out)",
                       grn_names_get(&c->p->rna.info->col, net->column[g]), d,
                       grn_names_get(&c->p->rna.info->row, c->p->cells.a[c->cell[i]]));
    }
    if (!c->type || c->type[i] < 0) return GRN_OK;
    size_t at = k * n_types + (size_t)c->type[i];
    if (c->run) {
        c->r->base[(c->run - 1) * net->n_moving * n_types + at] += to_units(d);
        return GRN_OK;
    }
    c->r->sum[at].before += to_units(before);
    c->r->sum[at].change += to_units(d);
    c->r->sum[at].n_changed += d != 0;
    return GRN_OK;
}

static grn_status sum_work(void *ctx, size_t begin, size_t end, int worker)
{
    const cells_t *c = ctx;
    const grn_perturb_net_t *net = &c->p->net;
    (void)worker;
    for (size_t k = begin; k < end; k++) {
        size_t g = net->moving[k];
        if (c->run && c->now[g] == c->start[g]) continue;
        for (size_t i = 0; i < c->n; i++) {
            grn_status rc = add_cell(c, k, i, c->p->types.types.n);
            if (rc) return rc;
        }
    }
    return GRN_OK;
}

/* Counts (entry NULL) or fills the rows of cells [begin, end) of the block. */
static grn_status row_work(void *ctx, size_t begin, size_t end, int worker)
{
    cells_t *c = ctx;
    const grn_perturb_net_t *net = &c->p->net;
    (void)worker;
    for (size_t i = begin; i < end; i++) c->row_n[i] = 0;
    for (size_t k = 0; k < net->n_moving; k++) {
        size_t g = net->moving[k];
        if (c->now[g] == c->start[g]) continue;
        for (size_t i = begin; i < end; i++) {
            float d = grn_perturb_change(c->start[g][i], c->now[g][i]);
            if (d == 0) continue;
            if (c->entry) c->entry[c->row_off[i] + c->row_n[i]] = (grn_perturb_entry_t){ c->out_at[g], d };
            c->row_n[i]++;
        }
    }
    return GRN_OK;
}

static grn_status keep_rows(cells_t *c)
{
    grn_status rc = GRN_OK;
    grn_perturb_result_t *r = c->r;
    grn_perturb_entry_t *room = c->entry;
    c->entry = NULL;
    rc = grn_par_for(grn_common.pool, c->n, CELLS, row_work, c);
    c->entry = room;
    if (rc) goto end;
    c->row_off[0] = 0;
    for (size_t i = 0; i < c->n; i++) c->row_off[i + 1] = c->row_off[i] + c->row_n[i];
    uint64_t n = c->row_off[c->n];
    GRN_TRY(GRN_GROW(c->entry, c->entry_cap, n + 1));
    GRN_TRY(grn_par_for(grn_common.pool, c->n, CELLS, row_work, c));
    for (size_t i = 0; i < c->n; i++) {
        r->off[c->cell[i]] = r->end + c->row_off[i] * sizeof *c->entry;
        r->n[c->cell[i]] = c->row_n[i];
    }
    GRN_TRY(grn_pwrite_full(r->fd, c->entry, n * sizeof *c->entry, r->end, "the changes in TMPDIR"));
    r->end += n * sizeof *c->entry;
    r->n_all += n;
end:
    return rc;
}

static grn_status do_block(cells_t *c)
{
    grn_status rc = GRN_OK;
    const grn_perturb_net_t *net = &c->p->net;
    for (c->run = 0; c->n && c->run < c->p->models.n_runs; c->run++) {
        begin_run(c);
        for (size_t round = 0; round < c->p->opt->rounds; round++) {
            GRN_TRY(grn_par_for(grn_common.pool, net->n_fit, 8, update_work, c));
            end_round(c);
        }
        GRN_TRY(grn_par_for(grn_common.pool, net->n_moving, 64, sum_work, c));
        if (c->run == 0) GRN_TRY(keep_rows(c));
    }
    grn_progress_add(c->n);
    memset(c->e, 0, net->n_used * c->B * sizeof *c->e);
    c->n = 0;
end:
    return rc;
}

/* ---- all cells ---- */

static grn_status add_row(void *ctx, const grn_colsrc_t *s, uint64_t row, size_t n, const uint32_t *idx, const float *val)
{
    cells_t *c = ctx;
    double total = grn_colsrc_total(s, n, val);
    for (size_t k = 0; k < n; k++) {
        uint32_t at = c->slot[idx[k]];
        if (at != GRN_PERTURB_NONE && val[k] != 0) c->e[at * c->B + c->n] = grn_colsrc_value(s, val[k], total);
    }
    if (c->type) c->type[c->n] = c->p->types.code[row];
    c->cell[c->n++] = s->cell[row];
    return c->n == c->B ? do_block(c) : GRN_OK;
}

/* Cells of a block: values of a cell are 4 for each moving gene and 1 for each other TF. */
static size_t block_cells(const grn_perturb_t *p)
{
    uint64_t per_cell = (p->net.n_used + 3 * p->net.n_moving) * sizeof(float), n = p->budget / per_cell / CELLS * CELLS;
    return n > BLOCK ? BLOCK : n < CELLS ? CELLS : n;
}

static grn_status make_tables(cells_t *c)
{
    grn_status rc = GRN_OK;
    const grn_perturb_net_t *net = &c->p->net;
    GRN_TRY(GRN_NEW_RAW(c->slot, c->p->rna.info->n_cols));
    GRN_TRY(GRN_NEW_RAW(c->out_at, net->n));
    GRN_TRY(GRN_NEW_RAW(c->moving_at, net->n));
    memset(c->slot, 0xff, c->p->rna.info->n_cols * sizeof *c->slot);
    for (size_t k = 0; k < net->n_used; k++) c->slot[net->column[net->used[k]]] = (uint32_t)k;
    for (size_t k = 0; k < net->n_out; k++) c->out_at[net->out[k]] = (uint32_t)k;
    for (size_t k = 0; k < net->n_moving; k++) c->moving_at[net->moving[k]] = (uint32_t)k;
    GRN_TRY(GRN_NEW(c->start, net->n));
    GRN_TRY(GRN_NEW(c->before, net->n));
    GRN_TRY(GRN_NEW(c->now, net->n));
    GRN_TRY(GRN_NEW(c->next, net->n_fit));
end:
    return rc;
}

static grn_status make_room(cells_t *c)
{
    grn_status rc = GRN_OK;
    const grn_perturb_net_t *net = &c->p->net;
    c->B = block_cells(c->p);
    GRN_TRY(GRN_NEW(c->e, net->n_used * c->B));
    GRN_TRY(GRN_NEW_RAW(c->room, net->n_moving * 3 * c->B));
    GRN_TRY(GRN_NEW_RAW(c->permuted, c->p->opt->n_what * c->B));
    GRN_TRY(GRN_NEW_RAW(c->cell, c->B));
    if (c->p->opt->summary) GRN_TRY(GRN_NEW_RAW(c->type, c->B));
    GRN_TRY(GRN_NEW_RAW(c->row_n, c->B));
    GRN_TRY(GRN_NEW_RAW(c->row_off, c->B + 1));
    c->n_workers = grn_par_n(grn_common.pool);
    GRN_TRY(GRN_NEW(c->scratch, (size_t)c->n_workers));
    for (int w = 0; w < c->n_workers; w++) {
        scratch_t *s = &c->scratch[w];
        GRN_TRY(GRN_NEW_RAW(s->sum, 2 * c->B + GRN_PERTURB_LANES));
        GRN_TRY(GRN_NEW_RAW(s->cell, c->B + 1));
        GRN_TRY(GRN_NEW_RAW(s->changed, c->B));
    }
end:
    return rc;
}

static grn_status make_result(cells_t *c)
{
    grn_status rc = GRN_OK;
    const grn_perturb_t *p = c->p;
    size_t n = p->net.n_moving * p->types.types.n;
    GRN_TRY(grn_tmp_open(&c->r->fd));
    GRN_TRY(GRN_NEW(c->r->off, p->cells.n));
    GRN_TRY(GRN_NEW(c->r->n, p->cells.n));
    GRN_TRY(GRN_NEW(c->r->sum, n));
    GRN_TRY(GRN_NEW(c->r->base, (p->models.n_runs - 1) * n));
end:
    return rc;
}

grn_status grn_perturb_cells(grn_perturb_t *p, grn_perturb_result_t *r)
{
    grn_status rc = GRN_OK;
    cells_t c = { .p = p, .r = r, .eval = grn_perturb_eval() };
    *r = (grn_perturb_result_t){ .fd = -1 };
    GRN_TRY(make_tables(&c));
    GRN_TRY(make_room(&c));
    GRN_TRY(make_result(&c));
    grn_progress_begin(p->cells.n, "cells");
    GRN_TRY(grn_colsrc_each(&p->rna, add_row, &c));
    GRN_TRY(do_block(&c));
    for (int w = 0; w < c.n_workers; w++) r->n_guarded += c.scratch[w].n_guarded;
end:
    grn_progress_end();
    cells_clear(&c);
    return rc;
}
