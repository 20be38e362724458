/* Simulated motif scores of a large database: motifs x regions, a fifth above 0, in steps of 1/16; every tenth motif scores higher in the
 * regions of one of n_sets sets. usage: enrich DIR MOTIFS REGIONS SETS SET_SIZE   writes DIR/scores.tensor.zst and DIR/sets/N.bed */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/par.h"
#include "io/matrix.h"

#define BLOCK 32

typedef struct {
    float *v;
    size_t N, first, n_sets;
    uint8_t *set; /* (N) set of a region + 1; 0: none */
} block_t;

static uint64_t next(uint64_t *s) /* splitmix64 */
{
    uint64_t x = *s += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static grn_status fill(void *ctx, size_t begin, size_t end, int worker)
{
    block_t *b = ctx;
    (void)worker;
    for (size_t k = begin; k < end; k++) {
        size_t motif = b->first + k;
        uint64_t s = motif * 7919 + 1, of = motif % 10 == 0 ? motif / 10 % b->n_sets + 1 : 0;
        float *v = b->v + k * b->N;
        for (size_t i = 0; i < b->N; i++) {
            uint64_t x = next(&s);
            uint32_t u = (uint32_t)x & 1023;
            v[i] = u < (of && b->set[i] == of ? 512u : 205u) ? (float)(1 + (x >> 32) % 160) / 16 : 0;
        }
    }
    return GRN_OK;
}

int main(int argc, char **argv)
{
    if (argc != 6) return 2;
    const char *dir = argv[1];
    size_t M = strtoul(argv[2], NULL, 10), N = strtoul(argv[3], NULL, 10), n_sets = strtoul(argv[4], NULL, 10), size = strtoul(argv[5], NULL, 10);
    grn_names_t col = { 0 };
    grn_mw_t *w = NULL;
    grn_par_t *pool = NULL;
    block_t b = { .N = N, .n_sets = n_sets };
    char name[4096];
    if (grn_par_create(&pool, grn_par_cpus()) || GRN_NEW(b.set, N) || GRN_NEW_RAW(b.v, BLOCK * N)) return 1;
    for (size_t i = 0; i < N; i++) {
        snprintf(name, sizeof name, "chr%zu:%zu-%zu", 1 + i * 20 / N, 1000 * i, 1000 * i + 500);
        if (grn_names_add(&col, name, NULL, NULL)) return 1;
    }
    snprintf(name, sizeof name, "%s/sets", dir);
    mkdir(name, 0777);
    uint64_t s = 42;
    for (size_t k = 0; k < n_sets; k++) {
        snprintf(name, sizeof name, "%s/sets/%zu.bed", dir, k);
        FILE *f = fopen(name, "w");
        for (size_t n = 0; f && n < size;) {
            size_t i = next(&s) % N;
            if (b.set[i]) continue;
            b.set[i] = (uint8_t)(k + 1);
            n++;
            fprintf(f, "chr%zu\t%zu\t%zu\n", 1 + i * 20 / N, 1000 * i, 1000 * i + 500);
        }
        if (!f || fclose(f)) return 1;
    }
    snprintf(name, sizeof name, "%s/scores.tensor.zst", dir);
    if (grn_mw_open(&w, name, &col, NULL, 1, pool)) return 1;
    for (b.first = 0; b.first < M; b.first += BLOCK) {
        size_t n = M - b.first < BLOCK ? M - b.first : BLOCK;
        grn_matrix_t m = { .n_rows = n, .n_cols = N, .is_dense = 1, .dense = b.v };
        if (grn_par_for(pool, n, 1, fill, &b)) return 1;
        for (size_t k = 0; k < n; k++) {
            snprintf(name, sizeof name, "M%zu", b.first + k);
            if (grn_names_add(&m.row, name, NULL, NULL)) return 1;
        }
        if (grn_mw_append(w, &m)) return 1;
        m.dense = NULL;
        grn_matrix_clear(&m);
    }
    return grn_mw_commit(w) != GRN_OK;
}
