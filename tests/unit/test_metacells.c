/* Metacells: how many, and who is drawn: the least keys, whatever the order; every cell as likely as any other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/names.h"
#include "base/rng.h"
#include "grn-build/metacells.h"

static void numbers(void **state)
{
    (void)state;
    assert_int_equal(grn_metacells_number(0, 10, 0), 0);
    assert_int_equal(grn_metacells_number(7, 10, 0), 1);
    assert_int_equal(grn_metacells_number(10, 10, 0), 1); /* two would be the same */
    assert_int_equal(grn_metacells_number(11, 10, 0), 2);
    assert_int_equal(grn_metacells_number(15, 10, 0), 4); /* 2 round(1.5) */
    assert_int_equal(grn_metacells_number(25, 10, 0), 4); /* 2 round(2.5), half to even */
    assert_int_equal(grn_metacells_number(34, 10, 0), 6);
    assert_int_equal(grn_metacells_number(34, 10, 50), 50);
    assert_int_equal(grn_metacells_number(9, 10, 50), 1);
}

static int by_value(const void *x, const void *y)
{
    uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
    return a < b ? -1 : a > b;
}

/* The set drawn from cells in one order is that drawn in any other; sizes below and above the room on the stack. */
static void any_order(void **state)
{
    (void)state;
    enum { N = 700 };
    uint64_t hash[N], turned[N];
    uint32_t perm[N], a[N], b[N];
    grn_rng_t r;
    grn_rng_init(&r, 3, "test.metacells", 0);
    for (uint32_t i = 0; i < N; i++) hash[i] = grn_hash(&i, sizeof i), perm[i] = i;
    grn_rng_shuffle_u32(&r, perm, N);
    for (size_t i = 0; i < N; i++) turned[i] = hash[perm[i]];
    for (size_t size = 1; size < N; size = size * 3 + 1) {
        assert_int_equal(grn_metacells_draw(hash, N, size, 77, a), size);
        assert_int_equal(grn_metacells_draw(turned, N, size, 77, b), size);
        for (size_t i = 0; i < size; i++) {
            if (i) assert_true(b[i - 1] < b[i]);
        }
        for (size_t i = 0; i < size; i++) b[i] = perm[b[i]];
        qsort(b, size, sizeof *b, by_value);
        assert_memory_equal(a, b, size * sizeof *a);
        /* a larger draw of the same key holds the smaller one */
        size_t more = grn_metacells_draw(hash, N, size + 5, 77, b), in = 0;
        assert_int_equal(more, size + 5 < N ? size + 5 : N);
        for (size_t i = 0; i < size; i++) in += bsearch(&a[i], b, more, sizeof *b, by_value) != NULL;
        assert_int_equal(in, size);
    }
    assert_int_equal(grn_metacells_draw(hash, 4, 10, 77, a), 4);
    for (uint32_t i = 0; i < 4; i++) assert_int_equal(a[i], i);
}

/* 20,000 draws of 10 of 50 cells: each cell 4,000 times, sd 56.6; each pair of neighbours 734.7 times, sd 26.6. */
static void uniform(void **state)
{
    (void)state;
    enum { N = 50, SIZE = 10, DRAWS = 20000 };
    uint64_t hash[N];
    uint32_t out[SIZE], n[N] = { 0 }, pair[N] = { 0 };
    for (uint32_t i = 0; i < N; i++) hash[i] = grn_hash(&i, sizeof i);
    for (uint64_t d = 0; d < DRAWS; d++) {
        assert_int_equal(grn_metacells_draw(hash, N, SIZE, grn_rng_key(1, "test.metacells", 0, d), out), SIZE);
        for (size_t i = 0; i < SIZE; i++) {
            n[out[i]]++;
            pair[out[i]] += i + 1 < SIZE && out[i + 1] == out[i] + 1;
        }
    }
    for (size_t i = 0; i < N; i++) {
        assert_in_range(n[i], 4000 - 5 * 57, 4000 + 5 * 57);
        if (i + 1 < N) assert_in_range(pair[i], 734 - 5 * 27, 735 + 5 * 27);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(numbers), cmocka_unit_test(any_order), cmocka_unit_test(uniform) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
