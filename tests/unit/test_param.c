/* Parameters (initial values, files) and the optimiser (schedule, norm, clipping, resuming to the
 * same bits). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "nn/optim.h"

#define OK(x) assert_int_equal((x), GRN_OK)
#define NEAR(a, b, tol) assert_true(fabs((double)(a) - (double)(b)) <= (tol))
#define FLOATS(p) ((float *)(void *)(p)) /* cpu memory is host memory */

static grn_dev_t *dev;

static int setup(void **state)
{
    (void)state;
    return grn_dev_cpu(&dev, NULL);
}

static int teardown(void **state)
{
    (void)state;
    grn_dev_close(dev);
    return 0;
}

static void test_init(void **state)
{
    (void)state;
    grn_params_t a, b;
    size_t w, bias, n;
    int64_t shape[2] = { 3, 4 }, none[2] = { 3, 0 };
    grn_init_t u = { GRN_INIT_UNIFORM, 0.5, NULL };
    grn_params_init(&a, dev);
    grn_params_init(&b, dev);
    OK(grn_params_add_linear(&a, "l", 50, 16, 1, 7, &w, &bias));
    OK(grn_params_add_norm(&a, "n", 5, 7, &n, NULL));
    assert_string_equal(a.p[w].name, "l.weight");
    assert_true(a.p[w].n == 800 && a.p[w].n_dim == 2 && !a.p[w].no_decay && a.p[bias].no_decay);
    double most = 0, sum = 0;
    for (int i = 0; i < 800; i++) {
        double x = (double)FLOATS(a.p[w].w)[i];
        most = fmax(most, fabs(x));
        sum += x;
    }
    assert_true(most <= 0.25 && most > 0.24); /* 1/sqrt(16) */
    assert_true(fabs(sum / 800) < 0.02);      /* sd of the mean: 0.005 */
    assert_true(FLOATS(a.p[n].w)[0] == 1 && FLOATS(a.p[n + 1].w)[4] == 0);
    assert_int_equal(grn_params_count(&a), 800 + 50 + 10);
    /* the same values whatever the order of adding; others with another seed or name */
    OK(grn_params_add(&b, "x", 2, shape, u, 7, NULL));
    OK(grn_params_add_linear(&b, "l", 50, 16, 1, 7, &w, NULL));
    assert_memory_equal(b.p[w].w, a.p[0].w, 800 * sizeof(float));
    OK(grn_params_add_linear(&b, "k", 50, 16, 1, 7, &w, NULL));
    assert_memory_not_equal(b.p[w].w, a.p[0].w, 800 * sizeof(float));
    OK(grn_params_add_linear(&b, "m", 50, 16, 1, 8, &w, NULL));
    assert_int_equal(grn_params_add(&b, "x", 2, shape, u, 7, NULL), GRN_EINVAL);
    assert_int_equal(grn_params_add(&b, "y", 2, none, u, 7, NULL), GRN_EINVAL);
    assert_int_equal(grn_params_add(&b, "y", 5, shape, u, 7, NULL), GRN_EINVAL);
    assert_true(grn_params_find(&b, "k.bias") != GRN_PARAM_NONE &&
                grn_params_find(&b, "y") == GRN_PARAM_NONE);
    grn_params_clear(&a);
    grn_params_clear(&b);
    grn_params_clear(&b);
}

/* Row r of an embedding follows its key. */
static void test_row_key(void **state)
{
    (void)state;
    grn_params_t a, b;
    const uint64_t one[3] = { 11, 22, 33 }, two[2] = { 33, 11 };
    grn_params_init(&a, dev);
    grn_params_init(&b, dev);
    OK(grn_params_add_embedding(&a, "e", 3, 6, one, 1, NULL));
    OK(grn_params_add_embedding(&b, "e", 2, 6, two, 1, NULL));
    assert_memory_equal(FLOATS(b.p[0].w), FLOATS(a.p[0].w) + 12, 6 * sizeof(float));
    assert_memory_equal(FLOATS(b.p[0].w) + 6, FLOATS(a.p[0].w), 6 * sizeof(float));
    assert_memory_not_equal(FLOATS(a.p[0].w), FLOATS(a.p[0].w) + 6, 6 * sizeof(float));
    grn_params_clear(&a);
    grn_params_clear(&b);
}

static void test_schedule(void **state)
{
    (void)state;
    grn_optim_t o;
    grn_optim_init(&o);
    o.lr = 2;
    NEAR(grn_optim_lr(&o, 0), 2, 0);
    NEAR(grn_optim_lr(&o, 1000000), 2, 0); /* no end: constant */
    o.warmup = 4;
    o.total = 12;
    o.lr_end = 0.1;
    NEAR(grn_optim_lr(&o, 0), 0.5, 1e-12);
    NEAR(grn_optim_lr(&o, 3), 2, 1e-12);
    NEAR(grn_optim_lr(&o, 4), 2, 1e-12);
    NEAR(grn_optim_lr(&o, 8), 2 * (0.1 + 0.9 * 0.5), 1e-12);
    NEAR(grn_optim_lr(&o, 12), 0.2, 1e-12);
    NEAR(grn_optim_lr(&o, 99), 0.2, 1e-12);
    o.total = 4;
    NEAR(grn_optim_lr(&o, 4), 0.2, 1e-12); /* nothing after warm-up: the end */
    grn_optim_clear(&o);
}

static void two_params(grn_params_t *ps)
{
    int64_t four[1] = { 4 }, mat[2] = { 2, 2 };
    grn_init_t c = { GRN_INIT_CONST, 1, NULL };
    grn_params_init(ps, dev);
    OK(grn_params_add(ps, "b.bias", 1, four, c, 1, NULL));
    OK(grn_params_add(ps, "a.weight", 2, mat, c, 1, NULL));
}

static void set_grad(grn_params_t *ps, float x)
{
    for (size_t i = 0; i < ps->n; i++)
        for (int k = 0; k < 4; k++) FLOATS(ps->p[i].g)[k] = x;
}

static void test_step(void **state)
{
    (void)state;
    grn_params_t ps;
    grn_optim_t o;
    double norm;
    two_params(&ps);
    grn_optim_init(&o);
    o.lr = 0.1;
    o.decay = 0.5;
    o.clip = 1;
    set_grad(&ps, 3);
    OK(grn_optim_step(&o, &ps, &norm));
    NEAR(norm, 3 * sqrt(8), 1e-6);
    NEAR(FLOATS(ps.p[0].m)[0], 0.1 / sqrt(8), 1e-6);  /* clipped to norm 1 */
    NEAR(FLOATS(ps.p[0].w)[0], 1 - 0.1, 1e-5);        /* a bias: no decay */
    NEAR(FLOATS(ps.p[1].w)[0], 1 - 0.05 - 0.1, 1e-5); /* a matrix: decay */
    assert_int_equal(o.step, 1);
    ps.p[1].frozen = 1;
    float before = FLOATS(ps.p[1].w)[0];
    OK(grn_optim_step(&o, &ps, &norm));
    NEAR(norm, 6, 1e-6);
    assert_true(FLOATS(ps.p[1].w)[0] == before);
    ps.p[1].frozen = 0;
    FLOATS(ps.p[1].g)[2] = NAN;
    before = FLOATS(ps.p[0].w)[0];
    assert_int_equal(grn_optim_step(&o, &ps, &norm), GRN_ENONFINITE);
    assert_string_equal(grn_err_msg(), "gradient of 'a.weight' is not finite at step 3");
    assert_true(FLOATS(ps.p[0].w)[0] == before && o.step == 2);
    grn_optim_clear(&o);
    grn_params_clear(&ps);
}

/* Saved after 3 steps, loaded elsewhere, 3 more steps: the bits of 6 steps in one go. And what is
 * refused. */
static void test_file(void **state)
{
    (void)state;
    grn_params_t a, b, c;
    grn_optim_t oa, ob;
    grn_cw_t *w;
    grn_cr_t *r;
    int64_t other[2] = { 4, 1 };
    two_params(&a);
    two_params(&b);
    grn_optim_init(&oa);
    grn_optim_init(&ob);
    oa.lr = ob.lr = 0.05;
    for (int s = 0; s < 6; s++) {
        set_grad(&a, (float)(s - 2) * 0.3f);
        OK(grn_optim_step(&oa, &a, NULL));
        if (s != 2) continue;
        OK(grn_cw_open(&w, "model.tensor.zst", "grn.model/1", NULL));
        OK(grn_params_save(&a, w, 1));
        OK(grn_cw_commit(w));
    }
    OK(grn_cr_open(&r, "model.tensor.zst", NULL));
    assert_non_null(grn_cr_find(r, "param.a.weight"));
    assert_non_null(grn_cr_find(r, "adam_v.b.bias"));
    OK(grn_params_load(&b, r, 1));
    ob.step = 3;
    for (int s = 3; s < 6; s++) {
        set_grad(&b, (float)(s - 2) * 0.3f);
        OK(grn_optim_step(&ob, &b, NULL));
    }
    for (size_t i = 0; i < 2; i++) {
        assert_memory_equal(a.p[i].w, b.p[i].w, 4 * sizeof(float));
        assert_memory_equal(a.p[i].m, b.p[i].m, 4 * sizeof(float));
        assert_memory_equal(a.p[i].v, b.p[i].v, 4 * sizeof(float));
    }
    grn_params_init(&c, dev);
    OK(grn_params_add(&c, "a.weight", 2, other, (grn_init_t){ GRN_INIT_CONST, 0, NULL }, 1, NULL));
    assert_int_equal(grn_params_load(&c, r, 0), GRN_ESHAPE);
    assert_string_equal(
        grn_err_msg(),
        "'model.tensor.zst': tensor 'param.a.weight' has shape [2,2], expected [4,1]");
    grn_params_clear(&c);
    grn_params_init(&c, dev);
    OK(grn_params_add(&c, "new", 2, other, (grn_init_t){ GRN_INIT_CONST, 0, NULL }, 1, NULL));
    assert_int_equal(grn_params_load(&c, r, 0), GRN_EFORMAT);
    assert_string_equal(grn_err_msg(), "'model.tensor.zst' has no tensor 'param.new'");
    grn_params_clear(&c);
    grn_cr_close(r);
    FLOATS(a.p[0].w)[1] = INFINITY;
    OK(grn_cw_open(&w, "model.tensor.zst", "grn.model/1", NULL));
    OK(grn_params_save(&a, w, 0));
    OK(grn_cw_commit(w));
    OK(grn_cr_open(&r, "model.tensor.zst", NULL));
    assert_int_equal(grn_params_load(&b, r, 0), GRN_ENONFINITE);
    grn_cr_close(r);
    grn_optim_clear(&oa);
    grn_optim_clear(&ob);
    grn_params_clear(&a);
    grn_params_clear(&b);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_init),     cmocka_unit_test(test_row_key),
        cmocka_unit_test(test_schedule), cmocka_unit_test(test_step),
        cmocka_unit_test(test_file),
    };
    return cmocka_run_group_tests_name("param", tests, setup, teardown);
}
