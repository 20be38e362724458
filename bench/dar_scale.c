/* Writes a low-rank model of `cells` cells x `regions` regions, rank `topics`, with `types` cell types of which each leans to its own
 * topics: input of bench/dar_scale.sh. usage: dar_scale FILE CELLS REGIONS TOPICS TYPES */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "io/lowrank.h"

int main(int argc, char **argv)
{
    if (argc != 6) return 2;
    size_t n_types = strtoul(argv[5], NULL, 10);
    grn_lowrank_t l = { .C = strtoul(argv[2], NULL, 10), .R = strtoul(argv[3], NULL, 10), .K = strtoul(argv[4], NULL, 10) };
    grn_names_t types = { 0 }, donors = { 0 };
    grn_rng_t r;
    char name[64];
    grn_status rc = GRN_OK;
    double *total = NULL, *depth = NULL;
    int32_t *type = NULL, *donor = NULL;
    grn_log_init("dar_scale", 1);
    grn_rng_init(&r, 1, "bench", 0);
    GRN_TRY(GRN_NEW(l.theta, l.C * l.K));
    GRN_TRY(GRN_NEW(l.phi, l.R * l.K));
    GRN_TRY(GRN_NEW(total, l.K));
    GRN_TRY(GRN_NEW(depth, l.C));
    GRN_TRY(GRN_NEW(type, l.C));
    GRN_TRY(GRN_NEW(donor, l.C));
    l.method = strdup("lda");
    for (size_t c = 0; c < l.C; c++) {
        float sum = 0, *t = l.theta + c * l.K;
        type[c] = (int32_t)grn_rng_below(&r, n_types);
        donor[c] = (int32_t)grn_rng_below(&r, 8);
        depth[c] = 5000 + (double)grn_rng_below(&r, 10000);
        for (size_t k = 0; k < l.K; k++) sum += t[k] = (float)(0.01 + grn_rng_unif(&r) * (k % n_types == (size_t)type[c] ? 10 : 0.2));
        for (size_t k = 0; k < l.K; k++) t[k] /= sum;
        snprintf(name, sizeof name, "%016zu-1", c);
        GRN_TRY(grn_names_add(&l.cell, name, NULL, NULL));
    }
    for (size_t i = 0; i < l.R; i++) { /* a fifth of the regions lean to one topic, the rest are open alike */
        size_t own = grn_rng_below(&r, 5 * l.K);
        double open = grn_rng_unif(&r);
        for (size_t k = 0; k < l.K; k++) total[k] += l.phi[i * l.K + k] = (float)(open * (0.9 + 0.2 * grn_rng_unif(&r)) * (k == own ? 20 : 1));
        snprintf(name, sizeof name, "chr%zu:%zu-%zu", 1 + i * 22 / l.R, 1000 * i, 1000 * i + 500);
        GRN_TRY(grn_names_add(&l.region, name, NULL, NULL));
    }
    for (size_t i = 0; i < l.R * l.K; i++) l.phi[i] /= (float)total[i % l.K];
    for (size_t k = 0; k < l.K; k++) {
        snprintf(name, sizeof name, "topic%zu", k + 1);
        GRN_TRY(grn_names_add(&l.topic, name, NULL, NULL));
    }
    for (size_t k = 0; k < n_types; k++) {
        snprintf(name, sizeof name, "type%02zu", k + 1);
        GRN_TRY(grn_names_add(&types, name, NULL, NULL));
    }
    for (int k = 0; k < 8; k++) {
        snprintf(name, sizeof name, "donor%d", k + 1);
        GRN_TRY(grn_names_add(&donors, name, NULL, NULL));
    }
    GRN_TRY(grn_attr_add_code(&l.cell_attr, "cell_type", type, &types));
    GRN_TRY(grn_attr_add_code(&l.cell_attr, "donor", donor, &donors));
    GRN_TRY(grn_attr_add_num(&l.cell_attr, "n_fragments", depth));
    GRN_TRY(grn_lowrank_save(&l, argv[1], NULL, 0, NULL));
end:
    if (rc) fprintf(stderr, "%s\n", grn_err_msg());
    return rc != GRN_OK;
}
