/* 10x Genomics HDF5: Cell Ranger 1-2 (one group per genome), Cell Ranger >= 3 and Space Ranger
 * (group "matrix"), MAESTRO's peak matrices. Stored by barcode: exactly the CSR of the cells x
 * features matrix (SPEC: 10x "Feature-Barcode Matrices HDF5 Format"). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/h5.h"
#include "io/readers.h"

static grn_status load_list(const grn_h5_t *h, const char *group, const char *name, grn_list_t *out)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", group, name);
    return grn_h5_load_text(h, path, NULL, out);
}

/* "shape" = [features, barcodes], checked against the names read. */
static grn_status check_shape(const grn_h5_t *h, const char *group, const grn_raw_t *raw)
{
    grn_status rc = GRN_OK;
    char path[512];
    int64_t *shape = NULL;
    uint64_t n;
    snprintf(path, sizeof path, "%s/shape", group);
    if (grn_h5_kind_of(h, path) != GRN_H5_DATASET) return GRN_OK;
    GRN_TRY(grn_h5_load_i64(h, path, &shape, &n));
    if (n != 2 || shape[0] != (int64_t)raw->col.n || shape[1] != (int64_t)raw->row.n)
        GRN_FAIL(GRN_EFORMAT,
                 "'%s': '%s' says %lld features x %lld barcodes, but there are %zu feature names "
                 "and %zu barcodes",
                 h->path, path, n > 0 ? (long long)shape[0] : -1, n > 1 ? (long long)shape[1] : -1,
                 raw->col.n, raw->row.n);
end:
    free(shape);
    return rc;
}

/* Cell Ranger 1-2: the root groups that hold a matrix are genomes. */
static grn_status find_genome(const grn_h5_t *h, const grn_counts_opt_t *opt, char *group,
                              size_t cap)
{
    grn_status rc = GRN_OK;
    grn_list_t all = { 0 }, genomes = { 0 };
    char show[256];
    GRN_TRY(grn_h5_members(h, "/", &all));
    for (size_t i = 0; i < all.n; i++) {
        snprintf(group, cap, "%s/indptr", grn_list_get(&all, i));
        if (grn_h5_kind_of(h, group) == GRN_H5_DATASET)
            GRN_TRY(grn_list_add(&genomes, grn_list_get(&all, i), strlen(grn_list_get(&all, i))));
    }
    size_t k = opt->genome ? grn_list_find(&genomes, opt->genome) : 0;
    grn_list_show(&genomes, 10, show, sizeof show);
    if (genomes.n == 0)
        GRN_FAIL(GRN_EFORMAT, "'%s': no group of the root holds a 10x matrix", h->path);
    if (opt->genome && k == GRN_NO_COLUMN)
        GRN_FAIL(GRN_EINVAL, "'%s' has no genome '%s'; it has: %s", h->path, opt->genome, show);
    if (!opt->genome && genomes.n > 1)
        GRN_FAIL(GRN_EINVAL, "'%s' holds several genomes: %s (choose with --genome)", h->path,
                 show);
    snprintf(group, cap, "%s", grn_list_get(&genomes, k));
end:
    grn_list_clear(&all);
    grn_list_clear(&genomes);
    return rc;
}

static grn_status read_v2(const grn_h5_t *h, const grn_counts_opt_t *opt, grn_raw_t *raw,
                          char *group, size_t cap)
{
    grn_status rc = GRN_OK;
    GRN_TRY(find_genome(h, opt, group, cap));
    raw->format = "10x HDF5, Cell Ranger 1-2";
    GRN_TRY(load_list(h, group, "barcodes", &raw->row));
    GRN_TRY(load_list(h, group, "genes", &raw->col_id));
    GRN_TRY(load_list(h, group, "gene_names", &raw->col));
end:
    return rc;
}

static grn_status read_v3(const grn_h5_t *h, grn_raw_t *raw, char *group, size_t cap)
{
    grn_status rc = GRN_OK;
    snprintf(group, cap, "matrix");
    raw->format = "10x HDF5, Cell Ranger 3 and later";
    GRN_TRY(load_list(h, group, "barcodes", &raw->row));
    GRN_TRY(load_list(h, group, "features/id", &raw->col_id));
    GRN_TRY(load_list(h, group, "features/name", &raw->col));
    if (grn_h5_kind_of(h, "matrix/features/feature_type") == GRN_H5_DATASET)
        GRN_TRY(load_list(h, group, "features/feature_type", &raw->col_type));
    if (grn_h5_kind_of(h, "matrix/features/genome") == GRN_H5_DATASET)
        GRN_TRY(load_list(h, group, "features/genome", &raw->col_genome));
end:
    return rc;
}

grn_status grn_tenx_read(const char *path, const grn_counts_opt_t *opt, grn_raw_t *raw)
{
    grn_status rc = GRN_OK;
    grn_h5_t h = { .file = -1 };
    char group[256];
    GRN_TRY(grn_h5_open(&h, path));
    if (opt->layer)
        GRN_FAIL(GRN_EINVAL, "'%s' is a 10x file, which has no layers (--layer %s)", path,
                 opt->layer);
    if (grn_h5_kind_of(&h, "matrix") == GRN_H5_GROUP)
        GRN_TRY(read_v3(&h, raw, group, sizeof group));
    else GRN_TRY(read_v2(&h, opt, raw, group, sizeof group));
    if (raw->col_id.n != raw->col.n || (raw->col_type.n && raw->col_type.n != raw->col.n) ||
        (raw->col_genome.n && raw->col_genome.n != raw->col.n))
        GRN_FAIL(GRN_EFORMAT, "'%s': feature ids, names and types differ in number (%zu, %zu, %zu)",
                 path, raw->col_id.n, raw->col.n, raw->col_type.n);
    GRN_TRY(check_shape(&h, group, raw));
    GRN_TRY(grn_tenx_pick_names(path, opt, raw));
    rc = grn_h5_load_compressed(&h, group, raw->row.n, raw->col.n, raw);
end:
    grn_h5_close(&h);
    return rc;
}
