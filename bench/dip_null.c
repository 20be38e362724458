/* Simulates the null of Hartigan's dip (uniform samples) and prints lib/stat/dip_table.h. Takes about three minutes on two cores.
 *     make build && gcc -std=c11 -D_GNU_SOURCE -O2 -ffp-contract=off -Ilib bench/dip_null.c $(dirname $(readlink bin))/libgrn.a
 * $(pkg-config --libs openblas libxxhash) -lm -pthread -o dip_null
 *     ./dip_null > lib/stat/dip_table.h
 * Sorted uniforms are partial sums of exponentials over their total. Seed 1; streams are named by sample size and replicate, so
 * the table does not depend on the number of threads. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/par.h"
#include "base/rng.h"
#include "stat/dip.h"

static const size_t size[] = { 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 30, 50, 70, 100, 200, 300, 500, 1000, 2000, 5000, 10000, 30000 };
static const double tail[] = { 1,  .99, .95, .9,  .8,  .7,  .6,   .5,   .4,   .3,    .2,    .15,
                               .1, .07, .05, .03, .02, .01, .005, .002, .001, .0005, .0002, .0001 };
enum { N_SIZE = sizeof size / sizeof *size, N_TAIL = sizeof tail / sizeof *tail };

typedef struct {
    size_t n;
    double *z;
} job_t;

static grn_status replicate(void *ctx, size_t begin, size_t end, int worker)
{
    grn_status rc = GRN_OK;
    job_t *job = ctx;
    double *u = NULL;
    (void)worker;
    GRN_TRY(GRN_NEW(u, job->n + 1));
    for (size_t k = begin; k < end; k++) {
        grn_rng_t r;
        double sum = 0;
        grn_rng_init2(&r, 1, "dip.null", job->n, k);
        for (size_t i = 0; i <= job->n; i++) u[i] = sum += grn_rng_exp(&r);
        GRN_TRY(grn_dip_statistic(u, job->n, &job->z[k]));
        job->z[k] *= sqrt((double)job->n);
    }
end:
    free(u);
    return rc;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(void)
{
    grn_par_t *pool = NULL;
    if (grn_par_create(&pool, grn_par_cpus()) != GRN_OK) return 1;
    printf("/* Made by bench/dip_null.c: quantiles of sqrt(n) * dip of n uniform values. */\n");
    printf("#ifndef GRN_STAT_DIP_TABLE_H\n#define GRN_STAT_DIP_TABLE_H\n\n#include <stddef.h>\n\n#define DIP_N_SIZE %d\n#define "
           "DIP_N_TAIL %d\n\n",
           N_SIZE, N_TAIL);
    printf("static const double dip_tail[DIP_N_TAIL] = {");
    for (int k = 0; k < N_TAIL; k++) printf("%s%s%g", k ? "," : "", k % 12 == 0 ? "\n    " : " ", tail[k]);
    printf(" };\nstatic const size_t dip_size[DIP_N_SIZE] = {");
    for (int k = 0; k < N_SIZE; k++) printf("%s%s%zu", k ? "," : "", k % 12 == 0 ? "\n    " : " ", size[k]);
    printf(" };\nstatic const double dip_quantile[DIP_N_SIZE][DIP_N_TAIL] = {\n");
    for (int s = 0; s < N_SIZE; s++) {
        size_t n_rep = size[s] <= 1000 ? 100000 : size[s] <= 2000 ? 50000 : size[s] <= 5000 ? 20000 : 10000;
        job_t job = { size[s], malloc(n_rep * sizeof(double)) };
        if (!job.z || grn_par_for(pool, n_rep, 100, replicate, &job) != GRN_OK) return 1;
        qsort(job.z, n_rep, sizeof *job.z, compare);
        printf("    { /* %zu */", size[s]);
        for (int k = 0; k < N_TAIL; k++) {
            double h = (double)(n_rep - 1) * (1 - tail[k]);
            size_t i = (size_t)h;
            double q = i + 1 < n_rep ? job.z[i] + (h - (double)i) * (job.z[i + 1] - job.z[i]) : job.z[n_rep - 1];
            printf("%s%s%.6f", k ? "," : "", k % 12 == 0 ? "\n      " : " ", k ? q : 0.5 / sqrt((double)size[s]));
        }
        printf(" },\n");
        fflush(stdout);
        free(job.z);
    }
    printf("};\n\n#endif\n");
    grn_par_destroy(pool);
    return 0;
}
