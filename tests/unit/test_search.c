/* The search space of grn-build link: where the reach of a gene ends, by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "grn-build/search.h"

enum { TILES = 300, WIDTH = 100 };

static char path[] = "/tmp/grn-search-XXXXXX";

/* A and D and B on +, in this order, A reaching into the promoter of E; C on -; F alone on another chromosome. */
static const char *const genes =
    "chr1\t10000\t12000\tA\t0\t+\nchr1\t12500\t13000\tD\t0\t+\nchr1\t20000\t21000\tB\t0\t+\nchr1\t15000\t16000\tC\t0\t-\n"
    "chr1\t11995\t12100\tE\t0\t+\nchr2\t10000\t10100\tF\t0\t-\n";

static int setup(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 || write(fd, genes, strlen(genes)) != (ssize_t)strlen(genes) || close(fd);
}

static int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

typedef struct {
    grn_regions_t regions;
    grn_genes_t genes;
    grn_search_t space;
} search_t;

static void search(search_t *s, const grn_search_opt_t *o)
{
    grn_names_t names = { 0 };
    uint32_t gene[6];
    char name[64];
    for (int c = 1; c <= 2; c++) {
        for (int i = 0; i < TILES; i++) {
            snprintf(name, sizeof name, "chr%d:%d-%d", c, i * WIDTH, (i + 1) * WIDTH);
            assert_int_equal(grn_names_add(&names, name, NULL, NULL), GRN_OK);
        }
    }
    memset(s, 0, sizeof *s);
    assert_int_equal(grn_regions_from_names(&names, &s->regions), GRN_OK);
    assert_int_equal(grn_genes_load(path, &s->genes), GRN_OK);
    static const char *const asked[] = { "A", "B", "C", "D", "E", "F" };
    for (uint32_t k = 0; k < 6; k++) gene[k] = (uint32_t)grn_names_find(&s->genes.names, asked[k]);
    assert_int_equal(grn_search_space(&s->regions, &s->genes, gene, 6, o, &s->space), GRN_OK);
    grn_names_clear(&names);
}

static void end_search(search_t *s)
{
    grn_search_clear(&s->space);
    grn_genes_clear(&s->genes);
    grn_regions_clear(&s->regions);
}

/* The gene's tiles are those that overlap [from, to). */
static void reaches(const search_t *s, size_t gene, uint64_t from, uint64_t to)
{
    size_t a = s->space.off[gene], b = s->space.off[gene + 1];
    assert_int_equal(b - a, (to - 1) / WIDTH - from / WIDTH + 1);
    assert_int_equal(s->regions.start[s->space.region[a]], from / WIDTH * WIDTH);
    assert_int_equal(s->regions.end[s->space.region[b - 1]], ((to - 1) / WIDTH + 1) * WIDTH);
}

static void by_distance(void **state)
{
    (void)state;
    search_t s;
    search(&s, &(grn_search_opt_t){ .upstream = 5000, .downstream = 2000, .promoter_bp = 1000 });
    reaches(&s, 0, 5000, 14000);
    reaches(&s, 2, 13000, 21000); /* upstream of C is right */
    reaches(&s, 5, 8000, 15100);
    end_search(&s);
}

static void by_gene_boundaries(void **state)
{
    (void)state;
    search_t s;
    search(&s, &(grn_search_opt_t){ .upstream = 5000, .downstream = 5000, .promoter_bp = 1000, .gene_boundaries = 1 });
    reaches(&s, 0, 5000, 13000);  /* E's promoter overlaps A: not beside it; D's begins 490 bp behind: 1 kb at least */
    reaches(&s, 3, 11500, 18000); /* E's ends at 12005, 495 bp in front: 1 kb; B's begins 6,990 bp behind: 5 kb at most */
    reaches(&s, 1, 15000, 26000); /* D's is 7,490 bp away; nothing behind */
    reaches(&s, 2, 10000, 21000); /* no other gene on - */
    reaches(&s, 4, 10010, 13100); /* A's promoter ends at 10010; D's begins 390 bp behind */
    reaches(&s, 5, 5000, 15100);
    end_search(&s);
    search(&s, &(grn_search_opt_t){ .upstream = 500, .downstream = 5000, .promoter_bp = 1000, .gene_boundaries = 1 });
    reaches(&s, 3, 12005, 18000); /* no further than asked for */
    end_search(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(by_distance), cmocka_unit_test(by_gene_boundaries) };
    return cmocka_run_group_tests(tests, setup, teardown);
}
