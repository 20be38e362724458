/* grn-map: exact neighbours against a full search in double, votes and cuts worked by hand, components against a dense decomposition.
 */
#include <float.h>
#include <hdf5.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../tools/grn-map/calibrate.h"
#include "../../tools/grn-map/pca.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/simd.h"

static float *numbers(size_t n, uint64_t seed, double scale, double shift)
{
    grn_rng_t r;
    float *x = malloc(n * sizeof *x);
    grn_rng_init(&r, seed, "test.map", 0);
    for (size_t i = 0; i < n; i++) x[i] = (float)(shift + scale * grn_rng_normal(&r));
    return x;
}

/* ---- neighbours ---- */

static double plain_distance(const float *a, const float *b, size_t d, knn_metric metric)
{
    double aa = 0, bb = 0, s = 0;
    for (size_t j = 0; j < d; j++) {
        aa += (double)a[j] * a[j];
        bb += (double)b[j] * b[j];
    }
    for (size_t j = 0; j < d; j++) {
        double e = metric == KNN_COSINE ? a[j] / sqrt(aa) - b[j] / sqrt(bb) : (double)a[j] - b[j];
        s += e * e;
    }
    return metric == KNN_COSINE ? s / 2 : sqrt(s);
}

/* What two ways to add up may differ by; the angle also by rounding of points of length 1. */
static double slack(double distance, knn_metric metric)
{
    return 1e-12 * distance + (metric == KNN_COSINE ? 1e-15 * sqrt(distance) + 1e-30 : 0);
}

/* The k nearest by a search of all: no reference point left out may be nearer than the last one, and those listed ascend. */
static void check_neighbours(const float *x, size_t n, const float *q, size_t d, knn_metric metric, uint32_t k, const uint32_t *id,
                             const double *distance)
{
    uint32_t have = k < n ? k : (uint32_t)n;
    uint8_t *listed = calloc(n, 1);
    for (uint32_t i = 0; i < have; i++) {
        assert_true(id[i] < n && !listed[id[i]]);
        listed[id[i]] = 1;
        double want = plain_distance(q, x + id[i] * d, d, metric);
        assert_true(fabs(distance[i] - want) <= slack(want, metric));
        if (i) assert_true(distance[i] > distance[i - 1] || (distance[i] == distance[i - 1] && id[i] > id[i - 1]));
    }
    for (uint32_t i = have; i < k; i++) assert_true(id[i] == KNN_NONE && isinf(distance[i]));
    for (size_t i = 0; have && i < n; i++)
        if (!listed[i]) assert_true(plain_distance(q, x + i * d, d, metric) >= distance[have - 1] - slack(distance[have - 1], metric));
    free(listed);
}

static void check_case(const float *x, size_t n, const float *q, size_t n_q, size_t d, knn_metric metric, uint32_t k)
{
    knn_t *t;
    grn_par_t *pool;
    const int levels = (int)grn_simd_level() + 1;
    uint32_t *id[2][3] = { { 0 } };
    double *distance = malloc(n_q * k * sizeof *distance), *first = malloc(n_q * k * sizeof *first);
    assert_int_equal(knn_create(&t, x, n, d, metric), GRN_OK);
    for (int threads = 0; threads < 2; threads++)
        for (int level = 0; level < levels; level++) {
            assert_int_equal(grn_par_create(&pool, threads ? 3 : 1), GRN_OK);
            id[threads][level] = malloc(n_q * k * sizeof(uint32_t));
            assert_int_equal(knn_set_level(t, level), GRN_OK);
            assert_int_equal(knn_search(t, q, n_q, k, pool, id[threads][level], distance), GRN_OK);
            if (threads == 0 && level == 0) memcpy(first, distance, n_q * k * sizeof *first);
            assert_memory_equal(id[threads][level], id[0][0], n_q * k * sizeof(uint32_t));
            assert_memory_equal(distance, first, n_q * k * sizeof *first);
            grn_par_destroy(pool);
        }
    for (size_t i = 0; i < n_q; i++) check_neighbours(x, n, q + i * d, d, metric, k, id[0][0] + i * k, first + i * k);
    for (int i = 0; i < 6; i++) free(id[i / 3][i % 3]);
    free(distance);
    free(first);
    knn_destroy(t);
}

static void neighbours(void **state)
{
    static const struct {
        size_t n, q, d;
        uint32_t k;
        double scale, shift;
    } cases[] = { { 1000, 300, 50, 15, 1, 0 },  { 33, 9, 1, 5, 1, 0 },       { 500, 64, 7, 1, 1, 1000 }, { 700, 40, 130, 30, 1e-20, 0 },
                  { 700, 40, 19, 30, 1e15, 0 }, { 31, 8, 3, 31, 1, 5 },      { 5, 3, 4, 8, 1, 0 },       { 2100, 17, 33, 100, 1, -3e4 },
                  { 1, 1, 2, 1, 1, 0 },         { 300, 30, 600, 15, 2, 0.5 } };
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        for (int metric = KNN_EUCLIDEAN; metric <= KNN_COSINE; metric++) {
            float *x = numbers(cases[c].n * cases[c].d, 2 * c + 1, cases[c].scale, cases[c].shift);
            float *q = numbers(cases[c].q * cases[c].d, 2 * c + 2, cases[c].scale, cases[c].shift);
            check_case(x, cases[c].n, q, cases[c].q, cases[c].d, (knn_metric)metric, cases[c].k);
            free(x);
            free(q);
        }
}

/* Points far from all others beside close ones, points that differ in the last bit, and repeats: where single precision alone fails. */
static void hard_neighbours(void **state)
{
    enum { N = 640, D = 12, Q = 40 };
    (void)state;
    float *x = numbers(N * D, 5, 1, 1000), *q = numbers(Q * D, 6, 1, 1000);
    for (size_t i = 0; i < N; i += 5)
        for (size_t j = 0; j < D; j++) x[i * D + j] = x[j]; /* repeats: ties by index */
    for (size_t i = 1; i < N; i += 5)
        for (size_t j = 0; j < D; j++) x[i * D + j] = nextafterf(x[j], i % 2 ? INFINITY : 0); /* one bit off */
    for (size_t j = 0; j < D; j++) x[7 * D + j] = 1e9f;                                       /* an outlier stretches every bound */
    for (size_t i = 0; i < Q; i += 2) memcpy(q + i * D, x + i % 3 * D, D * sizeof *q);
    for (size_t j = 0; j < D; j++) q[3 * D + j] = 3e37f; /* beyond the range of a product in float32 */
    check_case(x, N, q, Q, D, KNN_EUCLIDEAN, 20);
    check_case(x, N, q, Q, D, KNN_COSINE, 20);
    free(x);
    free(q);
}

static void no_length(void **state)
{
    const float x[] = { 1, 0, 0, 0, 2, 3 };
    knn_t *t = NULL;
    (void)state;
    assert_int_equal(knn_no_length(x, 3, 2), 1);
    assert_int_equal(knn_no_length(x, 1, 2), 1);
    assert_int_equal(knn_create(&t, x, 3, 2, KNN_COSINE), GRN_EINVAL);
    assert_null(t);
    assert_int_equal(knn_create(&t, x, 3, 0, KNN_EUCLIDEAN), GRN_EINVAL);
}

/* ---- votes ---- */

static void votes(void **state)
{
    const uint32_t id[] = { 4, 0, 2, KNN_NONE };
    const double distance[] = { 1, 2, 4, INFINITY };
    const int32_t code[] = { 1, 0, 1, 0, 0 };
    double w[4], tally[2];
    (void)state;
    vote_weigh(id, distance, 4, VOTE_GAUSSIAN, w);
    assert_float_equal(w[0], exp(-1.0 / 32), 1e-15);
    assert_float_equal(w[1], exp(-4.0 / 32), 1e-15);
    assert_float_equal(w[2], exp(-0.5), 1e-15);
    assert_true(w[3] == 0);
    assert_float_equal(vote_mean_distance(id, distance, 4), 7.0 / 3, 1e-15);
    vote_weigh(id, distance, 4, VOTE_UNIFORM, w);
    vote_t v = vote_count(id, w, 4, code, 2, tally);
    assert_int_equal(v.best, 1);
    assert_float_equal(v.share, 2.0 / 3, 1e-15);
    assert_float_equal(v.entropy, -(2.0 / 3 * log2(2.0 / 3) + 1.0 / 3 * log2(1.0 / 3)), 1e-14);
    v = vote_count(id, w, 2, code, 2, tally); /* one each: the first level */
    assert_int_equal(v.best, 0);
    assert_float_equal(v.entropy, 1, 1e-15);
    const int32_t none[] = { -1, -1, -1, -1, -1 };
    v = vote_count(id, w, 4, none, 2, tally);
    assert_int_equal(v.best, -1);
    const double zero[] = { 0, 0, 0, 0 };
    vote_weigh(id, zero, 4, VOTE_GAUSSIAN, w);
    assert_true(w[0] == 1 && w[1] == 1 && w[2] == 1 && w[3] == 0);
}

/* ---- the cut ---- */

/* 400 cells of two types; those whose neighbours are of one mind are right, of the others half are. */
static void cut(void **state)
{
    holdout_t h = { 0 };
    calibration_t c;
    (void)state;
    h.cell = calloc(400, sizeof *h.cell);
    h.n = 400;
    for (uint32_t i = 0; i < 400; i++) {
        int sure = i % 4 != 0;
        h.cell[i] = (held_t){ .cell = i, .truth = i < 200 ? 0 : 1, .distance = i % 200 + 1 };
        h.cell[i].vote = (vote_t){ sure || i % 8 == 0 ? h.cell[i].truth : 1 - h.cell[i].truth, sure ? 1 : 0.6, 0 };
    }
    assert_int_equal(calibrate(&h, 2, 0.95, 0.05, &c), GRN_OK);
    assert_int_equal(c.chosen, 13); /* 0.65: above the 0.6 of those that are half right */
    assert_true(c.is_certified);
    assert_int_equal(c.step[13].kept, c.step[13].right);
    /* far: p of distance 200 of 200 held-out cells is 1/200; p/far = 0.1 */
    assert_float_equal(c.score[199], 0.1, 1e-12);
    assert_int_equal(c.step[0].kept, 400);
    assert_float_equal(c.step[13].lower, pow(0.05 / 11, 1.0 / (double)c.step[13].kept), 1e-9); /* all right: p^n = risk */
    assert_float_equal(calibration_percentile(&c, 0, 101), 50, 1e-12);
    assert_true(isnan(calibration_percentile(&c, -1, 1)));
    vote_t v = { 0, 1, 0 };
    assert_float_equal(calibration_score(&c, v, 1e9), 1.0 / 201 / 0.05, 1e-12);
    assert_float_equal(calibration_score(&c, v, 100), 1, 0);
    assert_int_equal(calibration_decile(&c, 0.5), 0);
    assert_int_equal(calibration_decile(&c, 100.5), 5);
    assert_int_equal(calibration_decile(&c, 1e9), 9);
    calibration_clear(&c);
    assert_int_equal(calibrate(&h, 2, 0.9999, 0.05, &c), GRN_OK); /* 296 right ones cannot tell that much */
    assert_false(c.is_certified);
    assert_int_equal(c.chosen, CALIBRATE_STEPS);
    calibration_clear(&c);
    h.n = 0;
    assert_int_equal(calibrate(&h, 2, 0.95, 0.05, &c), GRN_EEMPTY);
    free(h.cell);
}

/* ---- components ---- */

/* A cells x genes matrix of rank 2 about its means, and noise of a thousandth: C' = U S V'. */
static void make_matrix(grn_matrix_t *m, uint64_t C, uint64_t G)
{
    float *u = numbers(C * 2, 11, 1, 0), *v = numbers(G * 2, 12, 1, 0), *e = numbers(C * G, 13, 0.001, 0);
    char name[32];
    memset(m, 0, sizeof *m);
    m->n_rows = C;
    m->n_cols = G;
    m->is_dense = 1;
    m->dense = malloc(C * G * sizeof *m->dense);
    for (uint64_t c = 0; c < C; c++)
        for (uint64_t g = 0; g < G; g++)
            m->dense[c * G + g] = (g % 3 ? 0 : 4) + 3 * u[2 * c] * v[2 * g] + u[2 * c + 1] * v[2 * g + 1] + e[c * G + g];
    for (uint64_t c = 0; c < C; c++) {
        snprintf(name, sizeof name, "c%04d", (int)c);
        assert_int_equal(grn_names_add(&m->row, name, NULL, NULL), GRN_OK);
    }
    for (uint64_t g = 0; g < G; g++) {
        snprintf(name, sizeof name, "g%04d", (int)g);
        assert_int_equal(grn_names_add(&m->col, name, NULL, NULL), GRN_OK);
    }
    free(u);
    free(v);
    free(e);
}

static void components(void **state)
{
    enum { C = 90, G = 40 };
    grn_matrix_t m;
    pca_t p;
    double mean[G] = { 0 }, left = 0, all = 0;
    (void)state;
    make_matrix(&m, C, G);
    float *x = malloc(C * G * sizeof *x), *score = malloc(C * 2 * sizeof *score);
    memcpy(x, m.dense, C * G * sizeof *x);
    assert_int_equal(grn_matrix_to_csr(&m), GRN_OK);
    assert_int_equal(pca_fit(&m, 2, 1, NULL, &p), GRN_OK);
    assert_int_equal(p.K, 2);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j <= i; j++) { /* orthonormal */
            double dot = 0;
            for (int g = 0; g < G; g++) dot += p.loading[g * 2 + i] * p.loading[g * 2 + j];
            assert_float_equal(dot, i == j, 1e-9);
        }
    assert_int_equal(pca_project(&p, &m, NULL, score), GRN_OK);
    for (int c = 0; c < C; c++)
        for (int g = 0; g < G; g++) mean[g] += x[c * G + g] / C;
    for (int g = 0; g < G; g++) assert_float_equal(p.mean[g], mean[g], 1e-6);
    for (int c = 0; c < C; c++)
        for (int g = 0; g < G; g++) { /* scores and loadings give the matrix back, up to the noise */
            double v = x[c * G + g] - mean[g], fit = 0;
            for (int j = 0; j < 2; j++) fit += score[c * 2 + j] * p.loading[g * 2 + j];
            left += (v - fit) * (v - fit);
            all += v * v;
        }
    assert_true(left < 2e-6 * all);
    assert_float_equal(p.share, 1 - left / all, 1e-6);
    for (int j = 0; j < 2; j++) {
        double square = 0, top = 0;
        for (int c = 0; c < C; c++) square += (double)score[c * 2 + j] * score[c * 2 + j];
        assert_float_equal(sqrt(square), p.sigma[j], 1e-4 * p.sigma[j]);
        for (int g = 0; g < G; g++)
            if (fabs(p.loading[g * 2 + j]) > fabs(top)) top = p.loading[g * 2 + j];
        assert_true(top > 0);
    }
    pca_clear(&p);
    assert_int_equal(pca_fit(&m, 0, 1, NULL, &p), GRN_EINVAL);
    memset(m.data, 0, m.indptr[C] * sizeof *m.data);
    assert_int_equal(pca_fit(&m, 2, 1, NULL, &p), GRN_EEMPTY);
    free(x);
    free(score);
    grn_matrix_clear(&m);
}

/* ---- obsm of h5ad ---- */

static void put_strings(hid_t group, const char *name, const char *const *s, hsize_t n)
{
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate_simple(1, &n, NULL);
    H5Tset_size(type, H5T_VARIABLE);
    hid_t set = H5Dcreate2(group, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, s) >= 0);
    H5Dclose(set);
    H5Sclose(space);
    H5Tclose(type);
}

static void put_floats(hid_t group, const char *name, const float *x, hsize_t n, hsize_t d)
{
    hsize_t dim[2] = { n, d };
    hid_t space = H5Screate_simple(2, dim, NULL);
    hid_t set = H5Dcreate2(group, name, H5T_NATIVE_FLOAT, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Dwrite(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, x) >= 0);
    H5Dclose(set);
    H5Sclose(space);
}

static void obsm(void **state)
{
    static const char *const cell[] = { "c2", "c1", "c3" }, *const type[] = { "a", "b", "a" }, *const gene[] = { "g" };
    const float x[] = { 1, 2, 3 }, pca[] = { 1.5f, -2, 0, 4, -0.25f, 1 };
    char path[] = "obsm.h5ad";
    grn_counts_opt_t opt = GRN_COUNTS_OPT_INIT;
    grn_matrix_t m = { 0 };
    (void)state;
    hid_t f = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    hid_t obs = H5Gcreate2(f, "obs", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t var = H5Gcreate2(f, "var", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    hid_t group = H5Gcreate2(f, "obsm", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    put_strings(obs, "_index", cell, 3);
    put_strings(obs, "cell_type", type, 3);
    put_strings(var, "_index", gene, 1);
    put_floats(f, "X", x, 3, 1);
    put_floats(group, "X_pca", pca, 3, 2);
    H5Gclose(obs);
    H5Gclose(var);
    H5Gclose(group);
    H5Fclose(f);
    opt.layer = "obsm/X_pca";
    assert_int_equal(grn_counts_load(path, &opt, NULL, &m), GRN_OK);
    assert_int_equal(grn_matrix_to_dense(&m), GRN_OK);
    assert_int_equal(m.n_cols, 2);
    assert_string_equal(grn_names_get(&m.col, 1), "2");
    assert_string_equal(grn_names_get(&m.row, 0), "c2");
    assert_memory_equal(m.dense, pca, sizeof pca);
    assert_non_null(grn_attr_find(&m.row_attr, "cell_type"));
    grn_matrix_clear(&m);
    opt.layer = "obsm/X_umap";
    assert_int_equal(grn_counts_load(path, &opt, NULL, &m), GRN_EINVAL);
    assert_non_null(strstr(grn_err_msg(), "obsm: X_pca"));
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(neighbours), cmocka_unit_test(hard_neighbours),
                                        cmocka_unit_test(no_length),  cmocka_unit_test(votes),
                                        cmocka_unit_test(cut),        cmocka_unit_test(components),
                                        cmocka_unit_test(obsm) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
