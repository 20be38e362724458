/* Where the time of grn-aucell goes: reading, scoring and writing, each by itself. Run by aucell.sh.
 * usage: aucell_parts COUNTS.tensor.zst SETS.gmt THREADS OUT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/str.h"
#include "grn-aucell/score.h"
#include "grn-aucell/sets.h"
#include "io/matrix.h"

enum { ROWS = 4096, VALUES = 1 << 24 };

static double now(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef struct {
    double wall, cpu;
} took_t;

static void start(took_t *t)
{
    t->wall -= now(CLOCK_MONOTONIC);
    t->cpu -= now(CLOCK_PROCESS_CPUTIME_ID);
}

static void stop(took_t *t)
{
    t->wall += now(CLOCK_MONOTONIC);
    t->cpu += now(CLOCK_PROCESS_CPUTIME_ID);
}

static grn_status measure(const char *counts, const char *gmt, grn_par_t *pool, const char *path)
{
    grn_status rc = GRN_OK;
    grn_mr_t *in = NULL;
    grn_mw_t *out = NULL;
    aucell_scorer_t *scorer = NULL;
    aucell_sets_t sets = { 0 };
    grn_packed_t b = { 0 };
    grn_matrix_t all = { .is_dense = 1 };
    uint32_t *detected = NULL;
    took_t read = { 0 }, score = { 0 }, write = { 0 };
    int got;
    aucell_sets_opt_t so = { { &gmt, 1, 0, 0, 0 }, 0, 1, 0, NULL, 0 };
    start(&read);
    GRN_TRY(grn_mr_open(&in, counts, NULL, pool));
    stop(&read);
    const grn_matrix_t *info = grn_mr_info(in);
    GRN_TRY(aucell_cut(0.05, info->n_cols, &so.cut));
    GRN_TRY(aucell_sets_load(&so, &info->col, pool, &sets));
    aucell_opt_t opt = { &sets, so.cut, 0, AUCELL_TIES_EXACT, 1, NULL };
    GRN_TRY(aucell_scorer_create(&scorer, &opt, pool));
    all.n_rows = info->n_rows;
    all.n_cols = sets.names.n;
    GRN_TRY(GRN_NEW_RAW(all.dense, all.n_rows * all.n_cols));
    memset(all.dense, 0, all.n_rows * all.n_cols * sizeof(float));
    GRN_TRY(GRN_NEW(detected, info->n_rows));
    GRN_TRY(grn_names_dup(&all.row, &info->row));
    GRN_TRY(grn_names_dup(&all.col, &sets.names));
    do {
        start(&read);
        got = grn_mr_next_packed(in, ROWS, VALUES, &b);
        stop(&read);
        if (got <= 0) break;
        start(&score);
        rc = aucell_score_packed(scorer, &b, &info->row, all.dense + b.first * all.n_cols, detected + b.first);
        stop(&score);
    } while (!rc);
    GRN_TRY(got < 0 ? (grn_status)got : rc);
    start(&write);
    GRN_TRY(grn_mw_open(&out, path, &sets.names, NULL, 1, pool));
    GRN_TRY(grn_mw_append(out, &all));
    rc = grn_mw_commit(out);
    out = NULL;
    stop(&write);
    printf("%d threads: reading %.3f s wall %.3f s CPU, scoring %.3f s wall %.3f s CPU, writing %.3f s wall %.3f s CPU\n",
           grn_par_n(pool), read.wall, read.cpu, score.wall, score.cpu, write.wall, write.cpu);
end:
    grn_mw_abort(out);
    grn_mr_close(in);
    aucell_scorer_destroy(scorer);
    aucell_sets_clear(&sets);
    grn_packed_clear(&b);
    grn_matrix_clear(&all);
    free(detected);
    return rc;
}

int main(int argc, char **argv)
{
    grn_par_t *pool = NULL;
    int64_t threads = 0;
    if (argc != 5) return 2;
    grn_status rc = grn_parse_i64(argv[3], &threads);
    if (!rc) rc = grn_par_create(&pool, (int)threads);
    if (!rc) rc = measure(argv[1], argv[2], pool, argv[4]);
    grn_par_destroy(pool);
    if (rc) fprintf(stderr, "%s\n", grn_err_msg());
    return rc != GRN_OK;
}
