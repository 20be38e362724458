/* io/matrix: round trips of every shape and type, blocks against the whole, picks and transposes
 * against dense loops. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "io/container.h"
#include "io/counts.h"
#include "io/matrix.h"

#define OK(x) assert_int_equal((x), GRN_OK)

static void names(grn_names_t *d, const char *prefix, uint64_t from, uint64_t n)
{
    char s[64];
    for (uint64_t i = 0; i < n; i++) {
        snprintf(s, sizeof s, "%s%llu", prefix, (unsigned long long)(from + i));
        OK(grn_names_add(d, s, NULL, NULL));
    }
}

/* rows x cols with about one value in three not zero; integers below `top`, or halves when top is
 * 0. Rows from..: as if cut from a longer one. */
static void make(grn_matrix_t *m, uint64_t from, uint64_t rows, uint64_t cols, uint32_t top,
                 int dense)
{
    memset(m, 0, sizeof *m);
    m->n_rows = rows;
    m->n_cols = cols;
    m->is_dense = 1;
    OK(GRN_NEW(m->dense, rows * cols));
    for (uint64_t i = 0; i < rows * cols; i++) {
        uint64_t k = grn_rng_key(7, "test", from * cols + i, top);
        if (k % 3) continue;
        m->dense[i] = top ? (float)((k >> 8) % top) : (float)((int)(k >> 8 & 255) - 128) / 2;
    }
    names(&m->row, "cell", from, rows);
    names(&m->col, "gene", 0, cols);
    double *depth;
    int32_t *type;
    grn_names_t levels = { 0 };
    OK(GRN_NEW(depth, rows));
    OK(GRN_NEW(type, rows));
    for (uint64_t i = 0; i < rows; i++)
        depth[i] = i % 5 ? 0.1 * (double)(from + i) : NAN, type[i] = (int32_t)((from + i) % 3) - 1;
    OK(grn_names_add(&levels, "B cell", NULL, NULL));
    OK(grn_names_add(&levels, "T cell", NULL, NULL));
    OK(grn_attr_add_num(&m->row_attr, "depth", depth));
    OK(grn_attr_add_code(&m->row_attr, "cell_type", type, &levels));
    int32_t *chrom;
    OK(GRN_NEW(chrom, cols));
    OK(grn_names_add(&levels, "chr1", NULL, NULL));
    OK(grn_attr_add_code(&m->col_attr, "cell_type", chrom,
                         &levels)); /* the name the rows use too, with other levels */
    if (!dense) OK(grn_matrix_to_csr(m));
}

static void same_attrs(const grn_attrs_t *a, const grn_attrs_t *b, uint64_t n)
{
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        const grn_attr_t *x = &a->a[i], *y = grn_attr_find(b, x->name);
        assert_non_null(y);
        assert_int_equal(x->num != NULL, y->num != NULL);
        if (x->num && n) assert_memory_equal(x->num, y->num, n * sizeof *x->num);
        if (x->code && n) assert_memory_equal(x->code, y->code, n * sizeof *x->code);
        assert_true(grn_names_equal(&x->levels, &y->levels));
    }
}

static void same(const grn_matrix_t *a, const grn_matrix_t *b)
{
    assert_int_equal(a->n_rows, b->n_rows);
    assert_int_equal(a->n_cols, b->n_cols);
    assert_int_equal(a->is_dense, b->is_dense);
    assert_true(grn_names_equal(&a->row, &b->row));
    assert_true(grn_names_equal(&a->col, &b->col));
    same_attrs(&a->row_attr, &b->row_attr, a->n_rows);
    same_attrs(&a->col_attr, &b->col_attr, a->n_cols);
    if (a->is_dense) {
        for (uint64_t i = 0; i < a->n_rows * a->n_cols; i++)
            assert_true(a->dense[i] == b->dense[i]);
        return;
    }
    for (uint64_t i = 0; i <= a->n_rows; i++) assert_int_equal(a->indptr[i], b->indptr[i]);
    for (uint64_t k = 0; k < a->indptr[a->n_rows]; k++)
        assert_true(a->indices[k] == b->indices[k] && a->data[k] == b->data[k]);
}

static grn_dtype stored_type(const char *path, const char *tensor)
{
    grn_cr_t *r;
    OK(grn_cr_open(&r, path, NULL));
    const grn_tensor_info_t *t = grn_cr_find(r, tensor);
    assert_non_null(t);
    grn_dtype d = t->dtype;
    grn_cr_close(r);
    return d;
}

static void round_trips(void **s)
{
    (void)s;
    static const struct {
        uint64_t rows, cols;
        uint32_t top;
        grn_dtype type;
    } form[] = { { 0, 0, 9, GRN_U8 },          { 0, 5, 9, GRN_U8 },     { 5, 0, 9, GRN_U8 },
                 { 1, 1, 9, GRN_U8 },          { 17, 23, 256, GRN_U8 }, { 90, 31, 65536, GRN_U16 },
                 { 90, 31, 1 << 24, GRN_U32 }, { 17, 23, 0, GRN_F32 },  { 6, 6, 1, GRN_U8 } };
    for (size_t k = 0; k < sizeof form / sizeof *form; k++)
        for (int dense = 0; dense < 2; dense++) {
            grn_matrix_t m, back;
            make(&m, 0, form[k].rows, form[k].cols, form[k].top, dense);
            OK(grn_matrix_validate(&m));
            OK(grn_matrix_save(&m, "m", NULL));
            assert_int_equal(stored_type("m", dense ? "X" : "X.data"), form[k].type);
            OK(grn_matrix_load("m", NULL, &back));
            same(&m, &back);
            grn_matrix_clear(&m);
            grn_matrix_clear(&back);
        }
}

static void index_type(void **s)
{
    (void)s;
    static const uint64_t cols[2] = { 65535, 65536 };
    for (int k = 0; k < 2; k++) {
        grn_matrix_t m = { 0 }, back;
        m.n_rows = 1;
        m.n_cols = cols[k];
        OK(GRN_NEW(m.indptr, 2));
        OK(GRN_NEW(m.indices, 1));
        OK(GRN_NEW(m.data, 1));
        m.indptr[1] = 1;
        m.indices[0] = (uint32_t)cols[k] - 1;
        m.data[0] = 3;
        names(&m.row, "c", 0, 1);
        names(&m.col, "g", 0, cols[k]);
        OK(grn_matrix_save(&m, "m", NULL));
        assert_int_equal(stored_type("m", "X.indices"), k ? GRN_U32 : GRN_U16);
        OK(grn_matrix_load("m", NULL, &back));
        same(&m, &back);
        grn_matrix_clear(&m);
        grn_matrix_clear(&back);
    }
}

/* Blocks written one by one (u8, then u16, then reals) give the bytes of the whole, for one worker
 * and for three. */
static void blocks_written(void **s)
{
    (void)s;
    grn_par_t *pool;
    OK(grn_par_create(&pool, 3));
    for (int dense = 0; dense < 2; dense++) {
        grn_matrix_t a, b, c, whole;
        grn_mw_t *w;
        uint32_t all[100];
        make(&whole, 0, 60, 40, 0, 1);
        for (uint64_t i = 0; i < 20 * 40; i++) whole.dense[i] = (float)(int)fabsf(whole.dense[i]);
        for (uint64_t i = 20 * 40; i < 40 * 40; i++)
            whole.dense[i] = (float)(int)fabsf(whole.dense[i]) * 500;
        if (!dense) OK(grn_matrix_to_csr(&whole));
        for (uint32_t i = 0; i < 100; i++) all[i] = i;
        OK(grn_matrix_pick_rows(&whole, all, 20, &a));
        OK(grn_matrix_pick_rows(&whole, all + 20, 20, &b));
        OK(grn_matrix_pick_rows(&whole, all + 40, 20, &c));
        OK(grn_mw_open(&w, "blocks", &whole.col, &whole.col_attr, dense, pool));
        OK(grn_mw_append(w, &a));
        OK(grn_mw_append(w, &b));
        OK(grn_mw_append(w, &c));
        OK(grn_mw_commit(w));
        OK(grn_matrix_save(&whole, "whole", NULL));
        assert_int_equal(system("cmp blocks whole"), 0);
        grn_matrix_clear(&a);
        grn_matrix_clear(&b);
        grn_matrix_clear(&c);
        grn_matrix_clear(&whole);
    }
    grn_par_destroy(pool);
}

static void blocks_refused(void **s)
{
    (void)s;
    grn_matrix_t a, b;
    grn_mw_t *w;
    make(&a, 0, 4, 3, 9, 0);
    make(&b, 4, 4, 4, 9, 0);
    OK(grn_mw_open(&w, "never", &a.col, NULL, 0, NULL));
    OK(grn_mw_append(w, &a));
    assert_int_equal(grn_mw_append(w, &b), GRN_ESHAPE);
    assert_int_equal(grn_mw_append(w, &a), GRN_EINVAL); /* the same rows again */
    grn_mw_abort(w);
    OK(grn_mw_open(&w, "never", &a.col, NULL, 1, NULL));
    assert_int_equal(grn_mw_append(w, &a), GRN_ESHAPE); /* sparse into dense */
    grn_mw_abort(w);
    grn_matrix_clear(&b);
    make(&b, 4, 4, 3, 9, 0);
    grn_names_t other = { 0 };
    int32_t *code;
    OK(GRN_NEW(code, 4));
    OK(grn_names_add(&other, "T cell", NULL, NULL));
    OK(grn_attr_add_code(&b.row_attr, "cell_type", code, &other));
    OK(grn_mw_open(&w, "never", &a.col, NULL, 0, NULL));
    OK(grn_mw_append(w, &a));
    assert_int_equal(grn_mw_append(w, &b), GRN_EINVAL); /* levels in another order */
    grn_mw_abort(w);
    assert_int_not_equal(access("never", F_OK), 0);
    grn_matrix_clear(&a);
    grn_matrix_clear(&b);
}

static void blocks_read(void **s)
{
    (void)s;
    static const uint64_t step[] = { 1, 7, 50, 1000 };
    for (int dense = 0; dense < 2; dense++) {
        grn_matrix_t m, b = { 0 }, part;
        grn_mr_t *r;
        make(&m, 0, 50, 12, 300, dense);
        OK(grn_matrix_save(&m, "m", NULL));
        OK(grn_mr_open(&r, "m", NULL, NULL));
        assert_int_equal(grn_mr_info(r)->n_rows, 50);
        assert_int_equal(grn_mr_info(r)->is_dense, dense);
        assert_true(grn_names_equal(&grn_mr_info(r)->row, &m.row));
        for (size_t k = 0; k < sizeof step / sizeof *step; k++) {
            uint64_t at = 0;
            int got;
            while ((got = grn_mr_next(r, step[k], &b)) == 1) {
                uint32_t pick[50];
                for (uint64_t i = 0; i < b.n_rows; i++) pick[i] = (uint32_t)(at + i);
                OK(grn_matrix_pick_rows(&m, pick, b.n_rows, &part));
                same(&part, &b);
                grn_matrix_clear(&part);
                at += b.n_rows;
            }
            assert_int_equal(got, 0);
            assert_int_equal(at, 50);
            OK(grn_mr_rewind(r));
        }
        OK(grn_mr_seek(r, 49));
        assert_int_equal(grn_mr_next(r, 10, &b), 1);
        assert_int_equal(b.n_rows, 1);
        assert_string_equal(grn_names_get(&b.row, 0), "cell49");
        assert_int_equal(grn_mr_seek(r, 51), GRN_EINVAL);
        grn_matrix_clear(&b);
        grn_mr_close(r);
        grn_matrix_clear(&m);
    }
}

/* Worked by hand: [1 0 2; 0 0 3]. */
/* Rows as they are stored are those of whole blocks, however many rows and values come at a time. */
static void packed_read(void **s)
{
    (void)s;
    static const uint64_t step[][2] = { { 1, 1000 }, { 7, 1000 }, { 1000, 1 }, { 1000, 23 }, { 1000, 100000 } };
    grn_matrix_t m;
    grn_mr_t *r;
    make(&m, 0, 50, 12, 300, 0);
    OK(grn_matrix_save(&m, "m", NULL));
    OK(grn_mr_open(&r, "m", NULL, NULL));
    assert_int_equal(grn_mr_is_packed(r), 1);
    for (size_t k = 0; k < sizeof step / sizeof *step; k++) {
        grn_packed_t b = { 0 };
        uint64_t at = 0;
        int got;
        while ((got = grn_mr_next_packed(r, step[k][0], step[k][1], &b)) == 1) {
            assert_true(b.first == at && b.n_rows >= 1 && b.n_rows <= step[k][0]);
            assert_true(b.n_rows == 1 || b.indptr[b.n_rows] - b.indptr[0] <= step[k][1]);
            for (uint64_t i = 0; i < b.n_rows; i++, at++) {
                uint32_t idx[12];
                float val[12];
                const uint32_t *want_idx;
                const float *want_val;
                size_t n, want_n;
                OK(grn_packed_row(&b, i, &n, idx, val));
                grn_matrix_row(&m, at, &want_n, &want_idx, &want_val);
                assert_int_equal(n, want_n);
                assert_memory_equal(idx, want_idx, n * sizeof *idx);
                assert_memory_equal(val, want_val, n * sizeof *val);
            }
        }
        assert_int_equal(got, 0);
        assert_int_equal(at, 50);
        grn_packed_clear(&b);
        OK(grn_mr_rewind(r));
    }
    grn_mr_close(r);
    grn_matrix_clear(&m);
    make(&m, 0, 5, 12, 30, 1);
    OK(grn_matrix_save(&m, "m", NULL));
    OK(grn_mr_open(&r, "m", NULL, NULL));
    assert_int_equal(grn_mr_is_packed(r), 0);
    grn_packed_t none = { 0 };
    assert_int_equal(grn_mr_next_packed(r, 1, 1, &none), GRN_EINVAL);
    grn_mr_close(r);
    grn_matrix_clear(&m);
}

static void transpose_and_picks(void **s)
{
    (void)s;
    grn_matrix_t m = { 0 }, t, p;
    m.n_rows = 2;
    m.n_cols = 3;
    m.is_dense = 1;
    OK(GRN_NEW(m.dense, 6));
    m.dense[0] = 1, m.dense[2] = 2, m.dense[5] = 3;
    names(&m.row, "c", 0, 2);
    names(&m.col, "g", 0, 3);
    assert_int_equal(grn_matrix_transpose(&m, &t), GRN_EINVAL);
    OK(grn_matrix_to_csr(&m));
    assert_int_equal(m.indptr[2], 3);
    OK(grn_matrix_transpose(&m, &t));
    assert_int_equal(t.n_rows, 3);
    assert_int_equal(t.indptr[1], 1);
    assert_int_equal(t.indptr[2], 1);
    assert_int_equal(t.indptr[3], 3);
    assert_true(t.indices[1] == 0 && t.indices[2] == 1 && t.data[1] == 2 && t.data[2] == 3);
    assert_string_equal(grn_names_get(&t.row, 2), "g2");
    OK(grn_matrix_validate(&t));
    const uint32_t cols[2] = { 2, 0 }, rows[2] = { 1, 0 }, twice[2] = { 1, 1 }, far[1] = { 3 };
    OK(grn_matrix_pick_cols(&m, cols, 2, &p));
    OK(grn_matrix_validate(&p));
    OK(grn_matrix_to_dense(&p));
    assert_true(p.dense[0] == 2 && p.dense[1] == 1 && p.dense[2] == 3 && p.dense[3] == 0);
    assert_string_equal(grn_names_get(&p.col, 0), "g2");
    grn_matrix_clear(&p);
    OK(grn_matrix_pick_rows(&m, rows, 2, &p));
    assert_true(p.indptr[1] == 1 && p.data[0] == 3 && p.data[1] == 1);
    grn_matrix_clear(&p);
    assert_int_equal(grn_matrix_pick_cols(&m, twice, 2, &p), GRN_EINVAL);
    assert_int_equal(grn_matrix_pick_rows(&m, twice, 2, &p), GRN_EINVAL);
    assert_int_equal(grn_matrix_pick_rows(&m, far, 1, &p), GRN_EINVAL);
    OK(grn_matrix_pick_rows(&m, NULL, 0, &p));
    assert_int_equal(p.n_rows, 0);
    grn_matrix_clear(&p);
    grn_matrix_clear(&t);
    grn_matrix_clear(&m);
}

static void invariants(void **s)
{
    (void)s;
    grn_matrix_t m;
    make(&m, 0, 9, 9, 9, 0);
    OK(grn_matrix_validate(&m));
    float keep = m.data[0];
    m.data[0] = NAN;
    assert_int_equal(grn_matrix_validate(&m), GRN_EFORMAT);
    m.data[0] = INFINITY;
    assert_int_equal(grn_matrix_validate(&m), GRN_EFORMAT);
    m.data[0] = 0;
    assert_int_equal(grn_matrix_validate(&m), GRN_EFORMAT);
    m.data[0] = keep;
    uint32_t at = m.indices[0];
    m.indices[0] = 9;
    assert_int_equal(grn_matrix_validate(&m), GRN_EFORMAT);
    assert_int_equal(grn_matrix_save(&m, "never", NULL), GRN_EFORMAT);
    m.indices[0] = at;
    m.row_attr.a[1].code[0] = 2;
    assert_int_equal(grn_matrix_validate(&m), GRN_EFORMAT);
    m.row_attr.a[1].code[0] = -1;
    OK(grn_matrix_validate(&m));
    OK(grn_matrix_to_dense(&m));
    m.dense[80] = NAN;
    assert_int_equal(grn_matrix_validate(&m), GRN_EFORMAT);
    assert_non_null(strstr(grn_err_msg(), "('cell8'), column 'gene8'"));
    grn_matrix_clear(&m);
}

/* Unpacks the next ten rows. */
static grn_status packed_block(grn_mr_t *r)
{
    grn_packed_t b = { 0 };
    uint32_t idx[3];
    float val[3];
    size_t n;
    int got = grn_mr_next_packed(r, 10, 100, &b);
    grn_status rc = got < 0 ? (grn_status)got : GRN_OK;
    for (uint64_t i = 0; !rc && i < b.n_rows; i++) rc = grn_packed_row(&b, i, &n, idx, val);
    grn_packed_clear(&b);
    return rc;
}

/* A container whose tensors do not agree is refused with one line. */
static void inconsistent_files(void **s)
{
    (void)s;
    static const uint64_t ptr[5][3] = {
        { 0, 1, 2 }, { 0, 2, 1 }, { 1, 1, 2 }, { 0, 1, 1 }, { 0, 1, 2 }
    };
    static const uint32_t idx[5][2] = { { 0, 2 }, { 0, 2 }, { 0, 2 }, { 0, 2 }, { 0, 3 } };
    for (int k = 0; k < 5; k++) {
        grn_cw_t *w;
        grn_matrix_t m;
        grn_mr_t *r;
        OK(grn_cw_open(&w, "m", "grn.matrix/1", NULL));
        OK(grn_cw_vec(w, "names.row", GRN_U8, 4, "a\nb\n"));
        OK(grn_cw_vec(w, "names.col", GRN_U8, 6, "x\ny\nz\n"));
        OK(grn_cw_vec(w, "X.indptr", GRN_U64, 3, ptr[k]));
        OK(grn_cw_vec(w, "X.indices", GRN_U32, 2, idx[k]));
        OK(grn_cw_vec(w, "X.data", GRN_U8, 2, "\1\2"));
        OK(grn_cw_commit(w));
        assert_int_equal(grn_matrix_load("m", NULL, &m), k ? GRN_EFORMAT : GRN_OK);
        grn_matrix_clear(&m);
        grn_status rc = grn_mr_open(&r, "m", NULL, NULL);
        if (!rc) {
            int got = grn_mr_next(r, 10, &m);
            assert_int_equal(got, k ? GRN_EFORMAT : 1);
            grn_matrix_clear(&m);
            OK(grn_mr_rewind(r));
            assert_int_equal(packed_block(r), k ? GRN_EFORMAT : GRN_OK);
            grn_mr_close(r);
        }
    }
    grn_cw_t *w;
    grn_matrix_t m;
    OK(grn_cw_open(&w, "m", "grn.matrix/2", NULL));
    OK(grn_cw_commit(w));
    assert_int_equal(grn_matrix_load("m", NULL, &m), GRN_EUNSUP);
    assert_non_null(strstr(grn_err_msg(), "newer"));
    OK(grn_cw_open(&w, "m", "grn.matrix/1", NULL));
    OK(grn_cw_vec(w, "names.row", GRN_U8, 4, "a\na\n"));
    OK(grn_cw_vec(w, "names.col", GRN_U8, 2, "x\n"));
    OK(grn_cw_commit(w));
    assert_int_equal(grn_matrix_load("m", NULL, &m), GRN_EFORMAT);
    assert_non_null(strstr(grn_err_msg(), "duplicate name 'a'"));
}

static void attributes(void **s)
{
    (void)s;
    grn_attrs_t a = { 0 }, b = { 0 };
    double *num;
    OK(GRN_NEW(num, 3));
    num[0] = 5, num[2] = 7;
    OK(grn_attr_add_num(&a, "x", num));
    OK(GRN_NEW(num, 3));
    num[0] = 1, num[2] = 2;
    OK(grn_attr_add_num(&a, "x", num)); /* replaces */
    assert_int_equal(a.n, 1);
    const uint32_t pick[2] = { 2, 0 };
    OK(grn_attrs_pick(&b, &a, pick, 2));
    assert_true(b.a[0].num[0] == 2 && b.a[0].num[1] == 1);
    assert_null(grn_attr_find(&a, "y"));
    grn_attrs_clear(&a, 3);
    grn_attrs_clear(&b, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),    cmocka_unit_test(index_type),
        cmocka_unit_test(blocks_written), cmocka_unit_test(blocks_refused),
        cmocka_unit_test(blocks_read), cmocka_unit_test(packed_read),    cmocka_unit_test(transpose_and_picks),
        cmocka_unit_test(invariants),     cmocka_unit_test(inconsistent_files),
        cmocka_unit_test(attributes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
