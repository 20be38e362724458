/* Speed of the container: writes a matrix of counts of a given size, reads it whole, checks it, reads one block of rows. Run by container.sh. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/mem.h"
#include "base/rng.h"
#include "base/str.h"
#include "io/container.h"
#include "io/counts.h"
#include "io/matrix.h"

enum { GENES = 20000, BLOCK = 1000 };

static double now(void)
{
    struct timeval t;
    gettimeofday(&t, NULL);
    return (double)t.tv_sec + 1e-6 * (double)t.tv_usec;
}

/* Counts of one cell: Poisson around gene means that spread over four orders of magnitude, as in droplet data. */
static grn_status add_cell(grn_matrix_t *b, uint64_t i, const double *mean, const char *name)
{
    grn_rng_t r;
    uint64_t n = b->indptr[i];
    grn_rng_init(&r, 1, "bench.container", grn_hash_str(name));
    double depth = exp(0.5 * grn_rng_normal(&r));
    for (uint32_t g = 0; g < GENES; g++) {
        uint64_t x = grn_rng_poisson(&r, depth * mean[g]);
        if (x) b->indices[n] = g, b->data[n++] = (float)x;
    }
    b->indptr[i + 1] = n;
    return grn_names_add(&b->row, name, NULL, NULL);
}

/* Rows until indices and values take `bytes`. */
static grn_status write_file(const char *path, double bytes, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    grn_mw_t *w = NULL;
    grn_matrix_t b = { 0 };
    grn_names_t genes = { 0 };
    double *mean = NULL, done = 0;
    char name[32];
    grn_rng_t r;
    GRN_TRY(GRN_NEW(mean, GENES));
    grn_rng_init(&r, 1, "bench.genes", 0);
    for (int g = 0; g < GENES; g++) {
        mean[g] = exp(2.2 * grn_rng_normal(&r) - 3.5);
        snprintf(name, sizeof name, "GENE%05d", g);
        GRN_TRY(grn_names_add(&genes, name, NULL, NULL));
    }
    GRN_TRY(grn_mw_open(&w, path, &genes, NULL, 0, pool));
    GRN_TRY(GRN_NEW(b.indptr, BLOCK + 1));
    GRN_TRY(GRN_NEW_RAW(b.indices, (size_t)BLOCK * GENES));
    GRN_TRY(GRN_NEW_RAW(b.data, (size_t)BLOCK * GENES));
    b.n_cols = GENES;
    b.n_rows = BLOCK;
    for (uint64_t cell = 0; done < bytes;) {
        grn_names_clear(&b.row);
        for (uint64_t i = 0; i < BLOCK; i++) {
            snprintf(name, sizeof name, "CELL%09llu", (unsigned long long)cell++);
            GRN_TRY(add_cell(&b, i, mean, name));
        }
        GRN_TRY(grn_mw_append(w, &b));
        done += 4.0 * (double)b.indptr[BLOCK];
    }
    rc = grn_mw_commit(w);
    w = NULL;
end:
    grn_mw_abort(w);
    grn_matrix_clear(&b);
    grn_names_clear(&genes);
    free(mean);
    return rc;
}

static grn_status load(const char *path, grn_par_t *pool)
{
    grn_cr_t *r;
    grn_status rc = grn_cr_open(&r, path, pool);
    for (size_t i = 0; !rc && i < grn_cr_n_tensors(r); i++) {
        void *p = NULL;
        rc = grn_cr_load(r, grn_cr_tensor_at(r, i), &p);
        free(p);
    }
    grn_cr_close(r);
    return rc;
}

static grn_status check(const char *path, grn_par_t *pool)
{
    grn_cr_t *r;
    grn_status rc = grn_cr_open(&r, path, pool);
    if (!rc) rc = grn_cr_check(r);
    grn_cr_close(r);
    return rc;
}

/* Bytes this process has read so far. */
static long long bytes_read(void)
{
    long long n = -1;
    char line[128];
    FILE *f = fopen("/proc/self/io", "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "rchar: %lld", &n) == 1) break;
    if (f) fclose(f);
    return n;
}

static grn_status block(const char *path, grn_par_t *pool)
{
    grn_mr_t *r = NULL;
    grn_matrix_t b = { 0 };
    grn_status rc = GRN_OK;
    double t0 = now();
    long long at = bytes_read();
    GRN_TRY(grn_mr_open(&r, path, NULL, pool));
    double t1 = now();
    long long opened = bytes_read();
    GRN_TRY(grn_mr_seek(r, grn_mr_info(r)->n_rows / 2));
    if (grn_mr_next(r, 100, &b) != 1) GRN_FAIL(GRN_EFORMAT, "no block");
    printf("open %.4f s, %lld bytes; 100 of %llu rows %.4f s, %lld bytes\n", t1 - t0, opened - at,
           (unsigned long long)grn_mr_info(r)->n_rows, now() - t1, bytes_read() - opened);
end:
    grn_matrix_clear(&b);
    grn_mr_close(r);
    return rc;
}

int main(int argc, char **argv)
{
    grn_par_t *pool;
    int64_t threads, mb;
    if (argc != 4 || grn_parse_i64(argv[3], &threads) || grn_par_create(&pool, (int)threads)) {
        fputs("usage: container load|check|block|write:MB FILE THREADS\n", stderr);
        return 2;
    }
    double t0 = now();
    grn_status rc = strcmp(argv[1], "load") == 0    ? load(argv[2], pool)
                    : strcmp(argv[1], "check") == 0 ? check(argv[2], pool)
                    : strcmp(argv[1], "block") == 0 ? block(argv[2], pool)
                    : strncmp(argv[1], "write:", 6) == 0 && grn_parse_i64(argv[1] + 6, &mb) == GRN_OK
                        ? write_file(argv[2], 1e6 * (double)mb, pool)
                        : grn_err(GRN_EUSAGE, "unknown task");
    if (rc) fprintf(stderr, "%s\n", grn_err_msg());
    else if (strcmp(argv[1], "block") != 0) printf("%.3f\n", now() - t0);
    grn_par_destroy(pool);
    return rc != GRN_OK;
}
