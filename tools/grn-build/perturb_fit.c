/* Models of grn-build perturb: every gene that the change can reach, by its regulons' TFs; again, for the baseline, with permuted TFs. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "boost/boost.h"
#include "perturb_priv.h"

#define MAX_BINS 256 /* of a TF's values */

void grn_perturb_models_clear(grn_perturb_models_t *m)
{
    free(m->first);
    free(m->direct);
    free(m->permuted);
    if (m->map) munmap(m->map, m->n * m->size);
    if (m->fd >= 0) close(m->fd);
    *m = (grn_perturb_models_t){ .fd = -1 };
}

float grn_perturbed_value(const grn_perturbed_t *w, grn_scale scale, float x)
{
    if (w->kind != GRN_PERTURB_SCALE) return (float)w->amount;
    if (w->amount == 1) return x;
    return (float)(scale == GRN_SCALE_LOGNORM ? log1p(w->amount * expm1(x)) : w->amount * x);
}

typedef struct {
    grn_perturb_t *p;
    grn_perturb_models_t *m;
    /* TFs: the used nodes that are TFs of fit nodes or perturbed; then, run after run, the perturbed ones, permuted */
    uint32_t *tf_at;    /* (net.n) place of a node; NONE */
    uint32_t *tfs;      /* (n_tfs) columns of the matrix */
    size_t n_tfs;
    grn_colblock_t tf;
    grn_bins_t bins;
    uint64_t *cell_key, *node_key; /* (C), (net.n) hashes of names */
    uint32_t *task;     /* (n_tasks) fit node of the block, one for each of its runs */
    uint32_t *task_run;
    grn_boost_target_t *target; /* (fit nodes of the block) */
    size_t begin;       /* first fit node of the block */
    struct worker_s *worker;
} fit_t;

typedef struct worker_s {
    grn_boost_scratch_t *scratch;
    grn_boost_model_t model;
    double *importance;
    uint32_t *column;
    uint64_t *key;
    size_t importance_cap, column_cap, key_cap;
    grn_perturb_model_t *out;
} worker_t;

static void fit_clear(fit_t *f, int n_workers)
{
    for (int w = 0; f->worker && w < n_workers; w++) {
        grn_boost_scratch_destroy(f->worker[w].scratch);
        grn_boost_model_clear(&f->worker[w].model);
        free(f->worker[w].importance);
        free(f->worker[w].column);
        free(f->worker[w].key);
        free(f->worker[w].out);
    }
    free(f->worker);
    free(f->tf_at);
    free(f->tfs);
    grn_colblock_clear(&f->tf);
    grn_bins_clear(&f->bins);
    free(f->cell_key);
    free(f->node_key);
    free(f->task);
    free(f->task_run);
    free(f->target);
}

/* ---- TFs ---- */

static grn_status check_values(const grn_perturb_t *p, const grn_colblock_t *b, const uint32_t *cols)
{
    for (size_t j = 0; j < b->n; j++) {
        for (uint64_t k = b->off[j]; k < b->off[j + 1]; k++) {
            if (b->val[k] >= 0) continue;
            return grn_err(GRN_EFORMAT, "'%s': %g of %s in cell %s is negative: amounts of RNA are expected", p->opt->rna, b->val[k],
                           grn_names_get(&p->rna.info->col, cols[j]), grn_names_get(&p->rna.info->row, p->cells.a[b->idx[k]]));
        }
    }
    return GRN_OK;
}

static grn_status load_tfs(fit_t *f)
{
    grn_status rc = GRN_OK;
    const grn_perturb_net_t *net = &f->p->net;
    GRN_TRY(GRN_NEW_RAW(f->tf_at, net->n));
    GRN_TRY(GRN_NEW_RAW(f->tfs, net->n));
    memset(f->tf_at, 0xff, net->n * sizeof *f->tf_at);
    for (size_t k = 0; k < net->n_fit; k++)
        for (uint64_t i = net->off[net->fit[k]]; i < net->off[net->fit[k] + 1]; i++) f->tf_at[net->tf[i]] = 0;
    for (size_t k = 0; k < f->p->opt->n_what; k++) f->tf_at[net->perturbed[k]] = 0;
    for (size_t g = 0; g < net->n; g++) {
        if (f->tf_at[g] == GRN_PERTURB_NONE) continue;
        f->tf_at[g] = (uint32_t)f->n_tfs;
        f->tfs[f->n_tfs++] = net->column[g];
    }
    GRN_TRY(grn_colblock_gather(&f->p->rna, f->tfs, f->n_tfs, grn_common.pool, &f->tf));
    GRN_TRY(check_values(f->p, &f->tf, f->tfs));
end:
    return rc;
}

typedef struct {
    int32_t type;
    uint32_t cell;
    uint64_t key;
} seat_t;

static int by_type_and_cell(const void *a, const void *b)
{
    const seat_t *x = a, *y = b;
    if (x->type != y->type) return x->type < y->type ? -1 : 1;
    return (x->cell > y->cell) - (x->cell < y->cell);
}

static int by_type_and_key(const void *a, const void *b)
{
    const seat_t *x = a, *y = b;
    if (x->type != y->type) return x->type < y->type ? -1 : 1;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return (x->cell > y->cell) - (x->cell < y->cell);
}

/* from[cell]: another cell of the type, each once; keyed by seed, run and the cells' names. */
static void permute_cells(const fit_t *f, size_t run, seat_t *seat, seat_t *drawn, uint32_t *from)
{
    const grn_perturb_t *p = f->p;
    size_t C = p->cells.n;
    for (size_t c = 0; c < C; c++) {
        seat[c] = (seat_t){ p->types.code[p->cells.a[c]], (uint32_t)c, 0 };
        drawn[c] = seat[c];
        drawn[c].key = grn_rng_key(grn_common.seed, "perturb.baseline", f->cell_key[c], run);
    }
    qsort(seat, C, sizeof *seat, by_type_and_cell);
    qsort(drawn, C, sizeof *drawn, by_type_and_key);
    for (size_t k = 0; k < C; k++) from[seat[k].cell] = drawn[k].cell;
}

/* The perturbed genes' values in the runs of the baseline; all of them change cells together. */
static grn_status permute_tfs(fit_t *f)
{
    grn_status rc = GRN_OK;
    const grn_perturb_t *p = f->p;
    size_t C = p->cells.n, K = p->opt->n_what, N = f->m->n_runs - 1;
    seat_t *seat = NULL, *drawn = NULL;
    uint32_t *from = NULL;
    float *dense = NULL;
    GRN_TRY(GRN_NEW_RAW(seat, C));
    GRN_TRY(GRN_NEW_RAW(drawn, C));
    GRN_TRY(GRN_NEW_RAW(from, C));
    GRN_TRY(GRN_NEW(dense, K * C));
    GRN_TRY(GRN_NEW_RAW(f->m->permuted, N * K * C));
    for (size_t k = 0; k < K; k++) {
        size_t j = f->tf_at[p->net.perturbed[k]];
        for (uint64_t i = f->tf.off[j]; i < f->tf.off[j + 1]; i++) dense[k * C + f->tf.idx[i]] = f->tf.val[i];
    }
    for (size_t r = 0; r < N; r++) {
        permute_cells(f, r + 1, seat, drawn, from);
        for (size_t k = 0; k < K; k++)
            for (size_t c = 0; c < C; c++) f->m->permuted[(r * K + k) * C + c] = dense[k * C + from[c]];
    }
end:
    free(seat);
    free(drawn);
    free(from);
    free(dense);
    return rc;
}

/* Bins of the TFs and of the permuted ones behind them. */
static grn_status make_bins(fit_t *f)
{
    grn_status rc = GRN_OK;
    size_t C = f->p->cells.n, K = f->p->opt->n_what, N = f->m->n_runs - 1, more = N * K, nz = f->tf.off[f->n_tfs], at = nz;
    uint64_t *off = NULL;
    uint32_t *idx = NULL;
    float *val = NULL;
    for (size_t k = 0; k < K; k++) {
        size_t j = f->tf_at[f->p->net.perturbed[k]];
        at += N * (f->tf.off[j + 1] - f->tf.off[j]);
    }
    GRN_TRY(GRN_NEW_RAW(off, f->n_tfs + more + 1));
    GRN_TRY(GRN_NEW_RAW(idx, at));
    GRN_TRY(GRN_NEW_RAW(val, at));
    memcpy(off, f->tf.off, (f->n_tfs + 1) * sizeof *off);
    memcpy(idx, f->tf.idx, nz * sizeof *idx);
    memcpy(val, f->tf.val, nz * sizeof *val);
    at = nz;
    for (size_t j = 0; j < more; j++) {
        const float *x = f->m->permuted + j * C;
        for (size_t c = 0; c < C; c++) {
            if (x[c] == 0) continue;
            idx[at] = (uint32_t)c;
            val[at++] = x[c];
        }
        off[f->n_tfs + j + 1] = at;
    }
    GRN_TRY(grn_bins_init(&f->bins, C, f->n_tfs + more, off, idx, val, MAX_BINS, grn_common.pool));
end:
    free(off);
    free(idx);
    free(val);
    return rc;
}

static grn_status hash_names(fit_t *f)
{
    grn_status rc = GRN_OK;
    const grn_perturb_t *p = f->p;
    GRN_TRY(GRN_NEW_RAW(f->cell_key, p->cells.n));
    GRN_TRY(GRN_NEW_RAW(f->node_key, p->net.n));
    for (size_t c = 0; c < p->cells.n; c++) f->cell_key[c] = grn_hash_str(grn_names_get(&p->rna.info->row, p->cells.a[c]));
    for (size_t g = 0; g < p->net.n; g++) f->node_key[g] = grn_hash_str(grn_names_get(&p->rna.info->col, p->net.column[g]));
end:
    return rc;
}

/* ---- models ---- */

/* Where each model goes. */
static grn_status place_models(fit_t *f)
{
    grn_status rc = GRN_OK;
    const grn_perturb_net_t *net = &f->p->net;
    grn_perturb_models_t *m = f->m;
    GRN_TRY(GRN_NEW(m->first, net->n_fit));
    GRN_TRY(GRN_NEW(m->direct, net->n_fit));
    m->size = sizeof(grn_perturb_model_t) + f->p->opt->trees * sizeof(grn_perturb_tree_t);
    m->size = (m->size + 15) / 16 * 16;
    for (size_t k = 0; k < net->n_fit; k++) {
        size_t g = net->fit[k];
        m->first[k] = m->n;
        for (uint64_t i = net->off[g]; i < net->off[g + 1]; i++) m->direct[k] |= net->what[net->tf[i]] != GRN_PERTURB_NONE;
        m->n += m->direct[k] ? m->n_runs : 1;
        if (net->off[g + 1] - net->off[g] > UINT16_MAX) GRN_FAIL(GRN_EUNSUP, "a gene has more than %d TFs", UINT16_MAX);
    }
    GRN_TRY(grn_tmp_open(&m->fd));
    if (ftruncate(m->fd, (off_t)(m->n * m->size)))
        GRN_FAIL(GRN_EIO, "cannot make a temporary file in '%s': %s", grn_tmp_dir(), strerror(errno));
end:
    return rc;
}

/* The TFs of a node as predictors: permuted ones in place of the perturbed in runs of the baseline. */
static grn_status fill_space(const fit_t *f, worker_t *w, size_t g, size_t run, grn_boost_space_t *s)
{
    grn_status rc = GRN_OK;
    const grn_perturb_net_t *net = &f->p->net;
    size_t n = net->off[g + 1] - net->off[g], K = f->p->opt->n_what;
    GRN_TRY(GRN_GROW(w->column, w->column_cap, n));
    GRN_TRY(GRN_GROW(w->key, w->key_cap, n));
    GRN_TRY(GRN_GROW(w->importance, w->importance_cap, n));
    for (size_t i = 0; i < n; i++) {
        uint32_t tf = net->tf[net->off[g] + i], what = net->what[tf];
        w->column[i] = run && what != GRN_PERTURB_NONE ? (uint32_t)(f->n_tfs + (run - 1) * K + what) : f->tf_at[tf];
        w->key[i] = f->node_key[tf];
    }
    *s = (grn_boost_space_t){ &f->bins, f->cell_key, w->key, w->column, n };
end:
    return rc;
}

static grn_status fit_work(void *ctx, size_t begin, size_t end, int worker)
{
    grn_status rc = GRN_OK;
    const fit_t *f = ctx;
    const grn_perturb_opt_t *o = f->p->opt;
    worker_t *w = &f->worker[worker];
    const grn_boost_opt_t boost = { grn_common.seed, o->rate, o->trees, 0.1, 1, 0 };
    for (size_t t = begin; t < end; t++) {
        size_t k = f->begin + f->task[t], n_trees;
        grn_boost_space_t space;
        GRN_TRY(fill_space(f, w, f->p->net.fit[k], f->task_run[t], &space));
        GRN_TRY(grn_boost_one(&boost, &space, &f->target[f->task[t]], w->scratch, w->importance, &n_trees, &w->model));
        grn_perturb_compile(&w->model, w->out);
        size_t bytes = sizeof *w->out + w->model.n * sizeof(grn_perturb_tree_t);
        GRN_TRY(grn_pwrite_full(f->m->fd, w->out, bytes, (f->m->first[k] + f->task_run[t]) * f->m->size, "the models in TMPDIR"));
        grn_progress_add(1);
    }
end:
    return rc;
}

/* Fit nodes [begin, begin + n), whose columns are at hand. */
static grn_status fit_block(fit_t *f, const grn_colblock_t *y, size_t begin, size_t n)
{
    grn_status rc = GRN_OK;
    size_t n_tasks = 0;
    f->begin = begin;
    for (size_t k = 0; k < n; k++) {
        size_t runs = f->m->direct[begin + k] ? f->m->n_runs : 1;
        uint64_t at = y->off[k];
        f->target[k] = (grn_boost_target_t){ { f->p->cells.n, y->off[k + 1] - at, y->idx + at, y->val + at }, GRN_TREE_NOBODY };
        for (size_t r = 0; r < runs; r++) {
            f->task[n_tasks] = (uint32_t)k;
            f->task_run[n_tasks++] = (uint32_t)r;
        }
    }
    GRN_TRY(grn_par_for(grn_common.pool, n_tasks, 1, fit_work, f));
end:
    return rc;
}

static grn_status fit_all(fit_t *f)
{
    grn_status rc = GRN_OK;
    const grn_perturb_net_t *net = &f->p->net;
    grn_colblock_t y = { 0 };
    uint32_t *cols = NULL;
    GRN_TRY(GRN_NEW_RAW(cols, net->n_fit));
    GRN_TRY(GRN_NEW_RAW(f->target, net->n_fit));
    GRN_TRY(GRN_NEW_RAW(f->task, f->m->n));
    GRN_TRY(GRN_NEW_RAW(f->task_run, f->m->n));
    for (size_t k = 0; k < net->n_fit; k++) cols[k] = net->column[net->fit[k]];
    grn_progress_begin(f->m->n, "models");
    for (size_t k = 0, n; k < net->n_fit; k += n) {
        n = grn_colblock_fit(&f->p->rna, cols, k, net->n_fit, f->p->budget / 2);
        GRN_TRY(grn_colblock_gather(&f->p->rna, cols + k, n, grn_common.pool, &y));
        GRN_TRY(check_values(f->p, &y, cols + k));
        GRN_TRY(fit_block(f, &y, k, n));
        grn_colblock_clear(&y);
    }
end:
    grn_progress_end();
    grn_colblock_clear(&y);
    free(cols);
    return rc;
}

grn_status grn_perturb_fit(grn_perturb_t *p)
{
    grn_status rc = GRN_OK;
    fit_t f = { .p = p, .m = &p->models };
    int n_workers = grn_par_n(grn_common.pool);
    f.m->n_runs = 1 + (p->opt->summary ? p->opt->baseline : 0);
    GRN_TRY(hash_names(&f));
    GRN_TRY(load_tfs(&f));
    GRN_TRY(permute_tfs(&f));
    GRN_TRY(make_bins(&f));
    GRN_TRY(place_models(&f));
    GRN_TRY(GRN_NEW(f.worker, (size_t)n_workers));
    for (int w = 0; w < n_workers; w++) {
        GRN_TRY(grn_boost_scratch_create(&f.worker[w].scratch));
        if (!(f.worker[w].out = grn_calloc(1, f.m->size))) {
            rc = GRN_ENOMEM;
            goto end;
        }
    }
    grn_log_info("fitting %llu models of %zu genes by %zu TFs, %zu trees each", (unsigned long long)f.m->n, p->net.n_fit, f.n_tfs,
                 p->opt->trees);
    GRN_TRY(fit_all(&f));
    f.m->map = mmap(NULL, f.m->n * f.m->size, PROT_READ, MAP_SHARED, f.m->fd, 0);
    if (f.m->map == MAP_FAILED) {
        f.m->map = NULL;
        GRN_FAIL(GRN_EIO, "cannot map the models in TMPDIR: %s", strerror(errno));
    }
end:
    fit_clear(&f, n_workers);
    return rc;
}
