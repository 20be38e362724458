/* The whole model against PyTorch (tests/parity/golden_model.txt) and against finite differences; files; queries of a
 * trained model. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"
#include "model/model.h"

/* ---- golden file: name, n, values ---- */
enum { MAX_ENTRIES = 200 };
typedef struct {
    char name[96];
    size_t n;
    double *v;
} entry_t;
static entry_t golden[MAX_ENTRIES];
static size_t n_golden;

static int load_golden(void **state)
{
    (void)state;
    static char path[4096];
    snprintf(path, sizeof path, "%s/tests/parity/golden_model.txt", getenv("SRC") ? getenv("SRC") : ".");
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "#%*[^\n]"), 0);
    while (n_golden < MAX_ENTRIES && fscanf(f, "%95s %zu", golden[n_golden].name, &golden[n_golden].n) == 2) {
        entry_t *e = &golden[n_golden++];
        e->v = grn_malloc(e->n, sizeof *e->v);
        for (size_t i = 0; i < e->n; i++) assert_int_equal(fscanf(f, "%lf", &e->v[i]), 1);
    }
    fclose(f);
    return 0;
}

static int free_golden(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_golden; i++) free(golden[i].v);
    return 0;
}

static const entry_t *get(const char *prefix, const char *name)
{
    char full[192];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    for (size_t i = 0; i < n_golden; i++) {
        if (strcmp(golden[i].name, full) == 0) return &golden[i];
    }
    fail_msg("no golden entry '%s'", full);
    return NULL;
}

/* ---- the golden inputs as our objects ---- */
typedef struct {
    grn_matrix_t m;
    grn_edges_t e;
    grn_activity_t a;
    grn_names_t genes;
    uint32_t masked[16];
    size_t n_masked;
} input_t;

static void add_numbered(grn_names_t *d, const char *form, size_t n)
{
    char name[32];
    for (size_t i = 0; i < n; i++) {
        snprintf(name, sizeof name, form, i);
        assert_int_equal(grn_names_add(d, name, NULL, NULL), GRN_OK);
    }
}

static void make_counts(input_t *in, size_t n_cells, size_t n_genes, const double *count, const double *context)
{
    grn_names_t levels = { 0 };
    int32_t *code = grn_malloc(n_cells, sizeof *code);
    size_t nnz = 0;
    grn_matrix_t *m = &in->m;
    m->n_rows = n_cells, m->n_cols = n_genes;
    assert_int_equal(GRN_NEW(m->indptr, n_cells + 1), GRN_OK);
    assert_int_equal(GRN_NEW(m->indices, n_cells * n_genes), GRN_OK);
    assert_int_equal(GRN_NEW(m->data, n_cells * n_genes), GRN_OK);
    for (size_t c = 0; c < n_cells; c++) {
        for (size_t g = 0; g < n_genes; g++) {
            if (count[c * n_genes + g] > 0) m->indices[nnz] = (uint32_t)g, m->data[nnz++] = (float)count[c * n_genes + g];
        }
        m->indptr[c + 1] = nnz;
        code[c] = (int32_t)context[c];
    }
    add_numbered(&m->row, "cell%02zu", n_cells);
    add_numbered(&m->col, "g%03zu", n_genes);
    add_numbered(&levels, "type%zu", 2);
    assert_int_equal(grn_attr_add_code(&m->row_attr, "cell_type", code, &levels), GRN_OK);
    assert_int_equal(grn_names_dup(&in->genes, &m->col), GRN_OK);
}

static void make_network(input_t *in, size_t n_genes, size_t n_edges, const double *edge, size_t n_cells, size_t n_regulons,
                         const double *on)
{
    assert_int_equal(grn_edges_alloc(&in->e, n_edges, "tf,gene,regulon,context"), GRN_OK);
    add_numbered(&in->e.genes, "g%03zu", n_genes);
    add_numbered(&in->e.contexts, "type%zu", 2);
    add_numbered(&in->e.regulons, "r%zu", n_regulons);
    for (size_t i = 0; i < n_edges; i++) {
        in->e.context[i] = (uint16_t)edge[4 * i];
        in->e.regulon[i] = (uint32_t)edge[4 * i + 1];
        in->e.tf[i] = (uint32_t)edge[4 * i + 2];
        in->e.gene[i] = (uint32_t)edge[4 * i + 3];
    }
    in->a = (grn_activity_t){ .n_cells = n_cells, .n_regulons = n_regulons, .n_words = 1 };
    assert_int_equal(GRN_NEW(in->a.bits, n_cells), GRN_OK);
    add_numbered(&in->a.cells, "cell%02zu", n_cells);
    add_numbered(&in->a.regulons, "r%zu", n_regulons);
    for (size_t i = 0; i < n_cells * n_regulons; i++) {
        if (on[i] != 0) grn_activity_set(&in->a, i / n_regulons, i % n_regulons);
    }
}

static void make_golden_input(input_t *in)
{
    const double *s = get("", "shape")->v;
    const entry_t *masked = get("", "masked"), *edges = get("", "edges"), *on = get("", "on");
    *in = (input_t){ .n_masked = masked->n };
    for (size_t i = 0; i < masked->n; i++) in->masked[i] = (uint32_t)masked->v[i];
    make_counts(in, (size_t)s[5], (size_t)s[4], get("", "counts")->v, get("", "context")->v);
    make_network(in, (size_t)s[4], edges->n / 4, edges->v, (size_t)s[5], on->n / (size_t)s[5], on->v);
}

static void clear_input(input_t *in)
{
    grn_matrix_clear(&in->m);
    grn_edges_clear(&in->e);
    grn_activity_clear(&in->a);
    grn_names_clear(&in->genes);
}

static grn_model_config_t golden_config(grn_grn_kind grn)
{
    const double *s = get("", "shape")->v;
    grn_model_config_t c;
    grn_model_config_init(&c);
    c.dim = (int64_t)s[0], c.heads = (int64_t)s[1], c.ffn = (int64_t)s[2], c.layers = (int64_t)s[3], c.bins = (int64_t)s[6];
    c.tokens = 12, c.zeros = 0, c.beta = get("", "beta")->v[0], c.grn = grn;
    return c;
}

static int compare_names(const void *x, const void *y)
{
    return strcmp((*(grn_param_t *const *)x)->name, (*(grn_param_t *const *)y)->name);
}

/* The parameters of the script: 0.6 sin(1 + 0.37 i + 1.3 k) for the k-th name, LN weights 1 + 0.3 of that. */
static void set_golden_parameters(grn_model_t *m)
{
    grn_param_t **order = grn_malloc(m->params.n, sizeof *order);
    for (size_t k = 0; k < m->params.n; k++) order[k] = &m->params.p[k];
    qsort(order, m->params.n, sizeof *order, compare_names);
    for (size_t k = 0; k < m->params.n; k++) {
        grn_param_t *p = order[k];
        double *w = grn_malloc((size_t)p->n, sizeof *w);
        int scale = strstr(p->name, "norm") && grn_str_ends(p->name, "weight");
        for (int64_t i = 0; i < p->n; i++) {
            w[i] = 0.6 * sin(1.0 + 0.37 * (double)i + 1.3 * (double)k);
            if (scale) w[i] = 1 + 0.3 * w[i];
        }
        assert_int_equal(grn_dev_put_f64(m->dev, p->w, w, (size_t)p->n), GRN_OK);
        free(w);
    }
    free(order);
}

/* Largest difference over the largest golden value, or over `floor` where that is larger (the gradient of a key bias is 0:
 * what is left of it is rounding). */
static double relative_error(grn_dev_t *dev, const grn_real_t *x_d, const entry_t *e, double floor)
{
    double *x = grn_malloc(e->n, sizeof *x), most = 0, scale = floor;
    assert_int_equal(grn_dev_get_f64(dev, x, x_d, e->n), GRN_OK);
    for (size_t i = 0; i < e->n; i++) {
        if (!(fabs(x[i] - e->v[i]) <= most)) most = fabs(x[i] - e->v[i]);
        if (fabs(e->v[i]) > scale) scale = fabs(e->v[i]);
    }
    free(x);
    return most / scale;
}

static void check_against_torch(grn_dev_t *dev, grn_grn_kind grn, const char *tag, double bound)
{
    input_t in;
    grn_cells_t cells;
    grn_model_t *m;
    grn_batch_t *b;
    char key[160];
    double sum, n, largest = 0;
    uint32_t id[] = { 0, 1, 2 };
    make_golden_input(&in);
    grn_model_config_t cfg = golden_config(grn);
    grn_view_t view = { 0,
                        GRN_QUERY_MASKED,
                        { .given = in.masked, .n_given = in.n_masked, .epoch = GRN_EPOCH_EVAL, .seed = 1 } };
    assert_int_equal(grn_cells_build(&cells, &in.m, &cfg, &in.e, &in.a, NULL), GRN_OK);
    assert_int_equal(grn_model_create(&m, dev, &cfg, &in.genes, 0), GRN_OK);
    set_golden_parameters(m);
    assert_int_equal(grn_batch_create(&b, dev, NULL), GRN_OK);
    assert_int_equal(grn_batch_fill(b, &cfg, &cells, id, 3, &view), GRN_OK);
    assert_int_equal(grn_model_forward(m, b, 1, 0), GRN_OK);
    snprintf(key, sizeof key, "%s.", tag);
    assert_int_equal(b->n_query, get(key, "pred")->n);
    assert_true(relative_error(dev, m->pred, get(key, "pred"), 0) <= bound);
    assert_true(relative_error(dev, b->target.d, get(key, "target"), 0) == 0);
    assert_int_equal(grn_model_loss(m, b, &sum, &n), GRN_OK);
    assert_true(fabs(sum / n - get(key, "loss")->v[0]) <= bound * get(key, "loss")->v[0]);
    assert_int_equal(grn_params_zero_grad(&m->params), GRN_OK);
    assert_int_equal(grn_model_backward(m, b, 1, 0), GRN_OK);
    snprintf(key, sizeof key, "%s.grad.", tag);
    for (size_t i = 0; i < n_golden; i++) {
        for (size_t j = 0; strncmp(golden[i].name, key, strlen(key)) == 0 && j < golden[i].n; j++)
            largest = fmax(largest, fabs(golden[i].v[j]));
    }
    for (size_t k = 0; k < m->params.n; k++) {
        const grn_param_t *p = &m->params.p[k];
        double err = relative_error(dev, p->g, get(key, p->name), 1e-3 * largest);
        if (!(err <= bound)) fail_msg("gradient of %s differs from PyTorch by %g (relative)", p->name, err);
    }
    grn_batch_destroy(b);
    grn_model_destroy(m);
    grn_cells_clear(&cells);
    clear_input(&in);
}

static void forward_and_gradients_equal_pytorch(void **state)
{
    (void)state;
    grn_dev_t *dev;
    assert_int_equal(grn_dev_cpu64(&dev, NULL), GRN_OK);
    check_against_torch(dev, GRN_GRN_HYBRID, "hybrid", 1e-8);
    check_against_torch(dev, GRN_GRN_NONE, "none", 1e-8);
    grn_dev_close(dev);
    assert_int_equal(grn_dev_cpu(&dev, NULL), GRN_OK);
    check_against_torch(dev, GRN_GRN_HYBRID, "hybrid", 1e-4);
    check_against_torch(dev, GRN_GRN_NONE, "none", 1e-4);
    grn_dev_close(dev);
}

static void attention_and_graph_embeddings_equal_pytorch(void **state)
{
    (void)state;
    input_t in;
    grn_dev_t *dev;
    grn_cells_t cells;
    grn_model_t *m;
    grn_batch_t *b;
    uint32_t id[] = { 0, 1, 2 }, node[10];
    float phi[32], x[64];
    const entry_t *want = get("hybrid.", "phi"), *type1 = get("hybrid.", "type1");
    make_golden_input(&in);
    grn_model_config_t cfg = golden_config(GRN_GRN_HYBRID);
    grn_view_t view = { 0, GRN_QUERY_GENES, { .given = in.masked, .n_given = in.n_masked, .seed = 1 } };
    assert_int_equal(grn_dev_cpu(&dev, NULL), GRN_OK);
    assert_int_equal(grn_cells_build(&cells, &in.m, &cfg, &in.e, &in.a, NULL), GRN_OK);
    assert_int_equal(grn_model_create(&m, dev, &cfg, &in.genes, 0), GRN_OK);
    set_golden_parameters(m);
    assert_int_equal(grn_batch_create(&b, dev, NULL), GRN_OK);
    assert_int_equal(grn_batch_fill(b, &cfg, &cells, id, 3, &view), GRN_OK);
    assert_int_equal(b->n_keys, want->n);
    assert_int_equal(grn_model_attention(m, b, phi), GRN_OK);
    double mass[3] = { 0 };
    for (size_t i = 0; i < want->n; i++) {
        assert_true(fabs(phi[i] - want->v[i]) < 1e-5);
        mass[b->key_cell[i]] += phi[i];
    }
    for (int c = 0; c < 3; c++) assert_true(fabs(mass[c] - 1) < 1e-5);
    for (uint32_t g = 0; g < 10; g++) node[g] = 9 - g;
    assert_int_equal(grn_model_embed_graph(m, b, &cells.type_csr[1], node, 10, x), GRN_OK);
    for (size_t g = 0; g < 10; g++) {
        for (size_t j = 0; j < 4; j++) assert_true(fabs(x[g * 4 + j] - type1->v[(9 - g) * 4 + j]) < 1e-4);
    }
    grn_batch_destroy(b);
    grn_model_destroy(m);
    grn_cells_clear(&cells);
    clear_input(&in);
    grn_dev_close(dev);
}

/* ---- a larger random input, for what has no golden values ---- */
enum { CELLS = 12, GENES = 40, REGULONS = 6, EDGES = 90 };
static void make_random_input(input_t *in)
{
    static double count[CELLS * GENES], context[CELLS], edge[4 * EDGES], on[CELLS * REGULONS];
    grn_rng_t rng;
    grn_rng_init(&rng, 3, "test", 0);
    for (size_t i = 0; i < CELLS * GENES; i++) count[i] = grn_rng_unif(&rng) < 0.6 ? (double)grn_rng_poisson(&rng, 6) : 0;
    for (size_t i = 0; i < CELLS; i++) context[i] = (double)(i % 2);
    for (size_t i = 0; i < EDGES; i++) {
        edge[4 * i] = (double)grn_rng_below(&rng, 2);
        edge[4 * i + 1] = (double)grn_rng_below(&rng, REGULONS);
        edge[4 * i + 2] = edge[4 * i + 1];
        edge[4 * i + 3] = (double)grn_rng_below(&rng, GENES);
    }
    for (size_t i = 0; i < CELLS * REGULONS; i++) on[i] = grn_rng_unif(&rng) < 0.5;
    for (size_t g = 0; g < GENES; g++) count[5 * GENES + g] = 0; /* an empty cell */
    *in = (input_t){ 0 };
    make_counts(in, CELLS, GENES, count, context);
    make_network(in, GENES, EDGES, edge, CELLS, REGULONS, on);
}

static grn_model_config_t small_config(grn_grn_kind grn)
{
    grn_model_config_t c;
    grn_model_config_init(&c);
    c.dim = 6, c.heads = 2, c.ffn = 10, c.layers = 3, c.tokens = 20, c.fanout = 3, c.grn = grn, c.dropout = 0.1;
    return c;
}

static const uint32_t ALL_CELLS[CELLS] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 };

static double loss_of(grn_model_t *m, grn_batch_t *b)
{
    double sum, n;
    assert_int_equal(grn_model_forward(m, b, 1, 7), GRN_OK);
    assert_int_equal(grn_model_loss(m, b, &sum, &n), GRN_OK);
    return sum / n;
}

/* Training mode with dropout, perturbation, sampling and an empty cell: gradients against central differences in double. */
static void gradients_equal_finite_differences(void **state)
{
    (void)state;
    static const grn_grn_kind kind[] = { GRN_GRN_NONE, GRN_GRN_RANDOM, GRN_GRN_TYPE, GRN_GRN_CELL, GRN_GRN_HYBRID };
    input_t in;
    grn_dev_t *dev;
    make_random_input(&in);
    assert_int_equal(grn_dev_cpu64(&dev, NULL), GRN_OK);
    for (size_t t = 0; t < 5; t++) {
        grn_cells_t cells;
        grn_model_t *m;
        grn_batch_t *b;
        grn_model_config_t cfg = small_config(kind[t]);
        grn_view_t view = { 1, GRN_QUERY_MASKED, { .mask = 0, .epoch = 2, .seed = 1 } };
        assert_int_equal(grn_cells_build(&cells, &in.m, &cfg, &in.e, &in.a, NULL), GRN_OK);
        assert_int_equal(grn_model_create(&m, dev, &cfg, &in.genes, 20), GRN_OK);
        assert_int_equal(grn_batch_create(&b, dev, NULL), GRN_OK);
        assert_int_equal(grn_batch_fill(b, &cfg, &cells, ALL_CELLS, CELLS, &view), GRN_OK);
        assert_int_equal(grn_params_zero_grad(&m->params), GRN_OK);
        loss_of(m, b);
        assert_int_equal(grn_model_backward(m, b, 1, 7), GRN_OK);
        for (size_t k = 0; k < m->params.n; k++) {
            grn_param_t *p = &m->params.p[k];
            double *w = grn_malloc((size_t)p->n, sizeof *w), *g = grn_malloc((size_t)p->n, sizeof *g), h = 1e-5,
                   scale = 1e-3;
            assert_int_equal(grn_dev_get_f64(dev, w, p->w, (size_t)p->n), GRN_OK);
            assert_int_equal(grn_dev_get_f64(dev, g, p->g, (size_t)p->n), GRN_OK);
            for (int64_t i = 0; i < p->n; i++) scale = fabs(g[i]) > scale ? fabs(g[i]) : scale;
            for (int64_t i = (int64_t)(k % 3); i < p->n; i += 1 + p->n / 5) {
                double keep = w[i], up, down;
                w[i] = keep + h;
                assert_int_equal(grn_dev_put_f64(dev, p->w, w, (size_t)p->n), GRN_OK);
                up = loss_of(m, b);
                w[i] = keep - h;
                assert_int_equal(grn_dev_put_f64(dev, p->w, w, (size_t)p->n), GRN_OK);
                down = loss_of(m, b);
                w[i] = keep;
                double slope = (up - down) / (2 * h);
                if (!(fabs(slope - g[i]) < 1e-5 * scale))
                    fail_msg("%s[%d]: %.9g by differences, %.9g", p->name, (int)i, slope, g[i]);
            }
            assert_int_equal(grn_dev_put_f64(dev, p->w, w, (size_t)p->n), GRN_OK);
            free(w);
            free(g);
        }
        grn_batch_destroy(b);
        grn_model_destroy(m);
        grn_cells_clear(&cells);
    }
    clear_input(&in);
    grn_dev_close(dev);
}

/* Cells of a batch do not see each other, and threads do not change bits. */
static void a_cell_alone_is_predicted_as_in_a_batch(void **state)
{
    (void)state;
    input_t in;
    grn_dev_t *dev;
    grn_par_t *pool;
    grn_cells_t cells;
    grn_model_t *m;
    grn_batch_t *b;
    float all[CELLS * 20], one[20];
    make_random_input(&in);
    grn_model_config_t cfg = small_config(GRN_GRN_HYBRID);
    grn_view_t view = { 1, GRN_QUERY_MASKED, { .mask = 0.5, .epoch = 2, .seed = 1 } };
    assert_int_equal(grn_par_create(&pool, 2), GRN_OK);
    assert_int_equal(grn_dev_cpu(&dev, pool), GRN_OK);
    assert_int_equal(grn_cells_build(&cells, &in.m, &cfg, &in.e, &in.a, NULL), GRN_OK);
    assert_int_equal(grn_model_create(&m, dev, &cfg, &in.genes, 20), GRN_OK);
    assert_int_equal(grn_batch_create(&b, dev, pool), GRN_OK);
    assert_int_equal(grn_batch_fill(b, &cfg, &cells, ALL_CELLS, CELLS, &view), GRN_OK);
    assert_true(b->n_query > 50 && b->n_query < CELLS * 20);
    assert_int_equal(grn_model_predict(m, b, all), GRN_OK);
    int64_t at = 0;
    for (uint32_t c = 0; c < CELLS; c++) {
        assert_int_equal(grn_batch_fill(b, &cfg, &cells, &c, 1, &view), GRN_OK);
        assert_int_equal(grn_model_predict(m, b, one), GRN_OK);
        for (int64_t i = 0; i < b->n_query; i++) assert_true(fabsf(one[i] - all[at + i]) < 1e-4f);
        at += b->n_query;
    }
    grn_batch_destroy(b);
    grn_model_destroy(m);
    grn_cells_clear(&cells);
    clear_input(&in);
    grn_dev_close(dev);
    grn_par_destroy(pool);
}

static void models_survive_their_file(void **state)
{
    (void)state;
    input_t in;
    grn_dev_t *dev;
    grn_cells_t cells;
    grn_model_t *m, *again;
    grn_batch_t *b;
    float x[CELLS * 6], y[CELLS * 6];
    make_random_input(&in);
    grn_model_config_t cfg = small_config(GRN_GRN_HYBRID);
    grn_view_t view = { 0, GRN_QUERY_CLS, { .mask = -1, .epoch = GRN_EPOCH_EVAL, .seed = 1 } };
    assert_int_equal(grn_dev_cpu(&dev, NULL), GRN_OK);
    assert_int_equal(grn_cells_build(&cells, &in.m, &cfg, &in.e, &in.a, NULL), GRN_OK);
    assert_int_equal(grn_model_create(&m, dev, &cfg, &in.genes, 20), GRN_OK);
    m->step = 42;
    assert_int_equal(grn_model_save(m, "m.tensor.zst", 0, NULL, NULL, NULL), GRN_OK);
    assert_int_equal(grn_model_load(&again, dev, "m.tensor.zst", NULL), GRN_OK);
    assert_true(again->step == 42 && grn_names_equal(&again->genes, &m->genes) && again->cfg.dropout == 0.1);
    assert_int_equal(grn_batch_create(&b, dev, NULL), GRN_OK);
    assert_int_equal(grn_batch_fill(b, &cfg, &cells, ALL_CELLS, CELLS, &view), GRN_OK);
    assert_int_equal(b->n_query, CELLS);
    assert_int_equal(grn_model_embed_cells(m, b, x), GRN_OK);
    assert_int_equal(grn_model_embed_cells(again, b, y), GRN_OK);
    assert_memory_equal(x, y, sizeof x);
    grn_model_destroy(m);
    assert_int_equal(grn_model_load(&m, dev, "missing.zst", NULL), GRN_EIO);
    assert_null(m);
    grn_batch_destroy(b);
    grn_model_destroy(again);
    grn_cells_clear(&cells);
    clear_input(&in);
    grn_dev_close(dev);
}

static void matrices_are_aligned_to_the_genes(void **state)
{
    (void)state;
    grn_matrix_t m = { .n_rows = 2, .n_cols = 3, .is_dense = 1 };
    grn_names_t genes = { 0 };
    size_t found;
    const float x[] = { 1, 0, 3, 4, 5, 0 };
    assert_int_equal(GRN_NEW(m.dense, 6), GRN_OK);
    memcpy(m.dense, x, sizeof x);
    add_numbered(&m.row, "c%zu", 2);
    add_numbered(&m.col, "g%zu", 3);
    assert_int_equal(grn_universe_build(&m, 2, &genes), GRN_OK);
    assert_true(genes.n == 1 && strcmp(grn_names_get(&genes, 0), "g0") == 0);
    grn_names_clear(&genes);
    assert_int_equal(grn_universe_build(&m, 3, &genes), GRN_EEMPTY);
    assert_int_equal(grn_names_add(&genes, "g2", NULL, NULL), GRN_OK);
    assert_int_equal(grn_names_add(&genes, "new", NULL, NULL), GRN_OK);
    assert_int_equal(grn_names_add(&genes, "g0", NULL, NULL), GRN_OK);
    assert_int_equal(grn_matrix_align(&m, &genes, &found), GRN_OK);
    assert_true(found == 2 && m.n_cols == 3 && !m.is_dense && m.indptr[1] == 2 && m.indptr[2] == 3);
    assert_true(m.indices[0] == 0 && m.data[0] == 3 && m.indices[1] == 2 && m.data[1] == 1 && m.indices[2] == 2 &&
                m.data[2] == 4);
    grn_names_clear(&genes);
    assert_int_equal(grn_names_add(&genes, "ENSG1", NULL, NULL), GRN_OK);
    assert_int_equal(grn_matrix_align(&m, &genes, NULL), GRN_ESHAPE);
    grn_names_clear(&genes);
    grn_matrix_clear(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forward_and_gradients_equal_pytorch),
        cmocka_unit_test(attention_and_graph_embeddings_equal_pytorch),
        cmocka_unit_test(gradients_equal_finite_differences),
        cmocka_unit_test(a_cell_alone_is_predicted_as_in_a_batch),
        cmocka_unit_test(models_survive_their_file),
        cmocka_unit_test(matrices_are_aligned_to_the_genes),
    };
    return cmocka_run_group_tests(tests, load_golden, free_golden);
}
