#include "io/counts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/container.h"
#include "io/h5.h"
#include "io/prov.h"
#include "io/readers.h"

/* ---- what the file is ---- */

/* Up to n first bytes of a file. */
static grn_status first_bytes(const char *path, char *buf, size_t n, size_t *got)
{
    int fd, seekable;
    uint64_t size;
    grn_status rc = grn_in_open(path, &fd, &size, &seekable);
    if (rc != GRN_OK) return rc;
    ssize_t r = pread(fd, buf, n, 0);
    if (fd > 0) close(fd);
    if (r < 0) return grn_err(GRN_EIO, "cannot read '%s': %s", path, strerror(errno));
    *got = (size_t)r;
    return GRN_OK;
}

static int holds(const char *p, size_t n, const char *what)
{
    return memmem(p, n, what, strlen(what)) != NULL;
}

/* Formats that are named and refused, with what to do instead. */
static grn_status refuse_zip(const char *path, const char *p, size_t n)
{
    if (holds(p, n, ".npy"))
        return grn_err(GRN_EUNSUP,
                       "'%s' is a NumPy npz file, which has no names of cells and genes; write it "
                       "as h5ad (Python: anndata)",
                       path);
    if (holds(p, n, "[Content_Types]") || holds(p, n, "_rels/") || holds(p, n, "xl/"))
        return grn_err(GRN_EUNSUP, "'%s' is an Excel file; save it as csv", path);
    if (holds(p, n, ".zgroup") || holds(p, n, ".zarray") || holds(p, n, ".zattrs") ||
        holds(p, n, "zarr.json"))
        return grn_err(GRN_EUNSUP,
                       "'%s' is a zipped zarr store; write it as h5ad (Python: "
                       "anndata.read_zarr(x).write_h5ad(y))",
                       path);
    return grn_err(GRN_EUNSUP, "'%s' is a zip file; unpack it first", path);
}

static grn_status read_hdf5(const char *path, const grn_counts_opt_t *opt, grn_raw_t *raw)
{
    grn_status rc = GRN_OK;
    grn_h5_t h = { .file = -1 };
    grn_list_t root = { 0 };
    char show[512];
    GRN_TRY(grn_h5_open(&h, path));
    GRN_TRY(grn_h5_members(&h, "/", &root));
    grn_h5_kind matrix = grn_h5_kind_of(&h, "matrix");
    int x = grn_h5_kind_of(&h, "X") != GRN_H5_NONE,
        obs = grn_h5_kind_of(&h, "obs") != GRN_H5_NONE || grn_h5_kind_of(&h, "mod") == GRN_H5_GROUP;
    int v2 = 0;
    for (size_t i = 0; i < root.n && !v2; i++) {
        snprintf(show, sizeof show, "%.400s/indptr", grn_list_get(&root, i));
        v2 = grn_h5_kind_of(&h, show) == GRN_H5_DATASET && strcmp(grn_list_get(&root, i), "X") != 0;
    }
    if (grn_h5_kind_of(&h, "assays") == GRN_H5_GROUP)
        GRN_FAIL(GRN_EUNSUP,
                 "'%s' is an h5Seurat file; write it as h5ad (R: SeuratDisk::Convert(x, dest = "
                 "\"h5ad\"))",
                 path);
    if (grn_h5_kind_of(&h, "barcode_idx") == GRN_H5_DATASET)
        GRN_FAIL(
            GRN_EUNSUP,
            "'%s' is a 10x molecule_info file; give filtered_feature_bc_matrix.h5 of the same run",
            path);
    grn_h5_close(&h);
    if (matrix == GRN_H5_DATASET && !obs) rc = grn_loom_read(path, opt, raw);
    else if (x || obs) rc = grn_h5ad_read(path, opt, raw);
    else if (matrix == GRN_H5_GROUP || v2) rc = grn_tenx_read(path, opt, raw);
    else
        rc = grn_err(GRN_EFORMAT, "'%s' is HDF5 but no h5ad, 10x or loom file; its root holds: %s",
                     path, root.n ? grn_list_show(&root, 12, show, sizeof show) : "nothing");
end:
    grn_h5_close(&h);
    grn_list_clear(&root);
    return rc;
}

static grn_status read_text(const char *path, const grn_counts_opt_t *opt, grn_raw_t *raw)
{
    grn_text_t *t = NULL;
    const char *p;
    size_t n;
    grn_status rc = grn_text_open(&t, path);
    if (rc == GRN_OK) rc = grn_text_peek(t, 16, &p, &n);
    int mtx = rc == GRN_OK && n && p[0] == '%';
    if (rc == GRN_OK && n == 0)
        rc = grn_err(GRN_EFORMAT, "'%s' is empty; a matrix of counts is expected", path);
    grn_text_close(t);
    if (rc != GRN_OK) return rc;
    if (strcmp(path, "-") == 0 && lseek(STDIN_FILENO, 0, SEEK_SET) != 0)
        return grn_err(GRN_EIO, "cannot rewind stdin: %s", strerror(errno));
    return mtx ? grn_mtx_read(path, opt, raw) : grn_table_read(path, opt, raw);
}

/* Reads anything but a container. */
static grn_status read_raw(const char *path, const grn_counts_opt_t *opt, grn_raw_t *raw)
{
    char first[4096];
    size_t n = 0;
    struct stat st;
    if (strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return grn_mtx_read(path, opt, raw);
    grn_status rc = first_bytes(path, first, sizeof first, &n);
    if (rc != GRN_OK) return rc;
    if (n >= 4 && memcmp(first, "PK\003\004", 4) == 0) return refuse_zip(path, first, n);
    if (n >= 8 && memcmp(first, "\x89HDF\r\n\x1a\n", 8) == 0) return read_hdf5(path, opt, raw);
    if (strcmp(path, "-") != 0 && n >= 512 && grn_magic_name(first, n) == NULL &&
        memchr(first, 0, n) && grn_h5_sniff(path))
        return read_hdf5(path, opt, raw); /* behind a user block */
    return read_text(path, opt, raw);
}

/* ---- policy ---- */

static const char *where(const grn_raw_t *raw, const grn_odd_t *o, char *buf, size_t cap)
{
    snprintf(buf, cap, "%s %llu", raw->where_word, (unsigned long long)o->where);
    return buf;
}

/* Values: NaN, infinities and counts too large are errors; negative and fractional ones are said,
 * or errors when counts are required. */
static grn_status check_values(const char *path, const grn_counts_opt_t *opt, const grn_raw_t *raw)
{
    char w[128], a[32];
    if (raw->infinite.n)
        return grn_err(GRN_ENONFINITE, "'%s' %s: %g; a finite number is expected", path,
                       where(raw, &raw->infinite, w, sizeof w), raw->infinite.first);
    if (raw->nan.n && !opt->allow_nonfinite)
        return grn_err(
            GRN_ENONFINITE,
            "'%s' %s: NaN; a number is expected (%s in all; --allow-nonfinite reads them as 0)",
            path, where(raw, &raw->nan, w, sizeof w), grn_fmt_count(a, raw->nan.n));
    if (raw->big.n && !raw->fraction.n)
        return grn_err(GRN_EFORMAT, "'%s' %s: %.0f; counts of at most 16,777,216 are expected",
                       path, where(raw, &raw->big, w, sizeof w), raw->big.first);
    if (opt->require_counts && (raw->negative.n || raw->fraction.n)) {
        const grn_odd_t *o = raw->negative.n ? &raw->negative : &raw->fraction;
        return grn_err(
            GRN_EFORMAT,
            "'%s' %s: %g is no count (%s such values); raw counts are expected (another --layer?)",
            path, where(raw, o, w, sizeof w), o->first, grn_fmt_count(a, o->n));
    }
    if (raw->nan.n)
        grn_log_warn("'%s': %s NaN read as 0, first at %s", path, grn_fmt_count(a, raw->nan.n),
                     where(raw, &raw->nan, w, sizeof w));
    if (opt->layer && strncmp(opt->layer, "obsm/", 5) == 0) return GRN_OK; /* an embedding */
    if (raw->negative.n)
        grn_log_warn("'%s': %s negative values, first %g at %s: these are no counts", path,
                     grn_fmt_count(a, raw->negative.n), raw->negative.first,
                     where(raw, &raw->negative, w, sizeof w));
    else if (raw->fraction.n)
        grn_log_info("'%s': the values are no counts (%s are not whole, first %g): taken as "
                     "normalised expression",
                     path, grn_fmt_count(a, raw->fraction.n), raw->fraction.first);
    return GRN_OK;
}

/* Keeps the strings of l whose map is not UINT32_MAX. */
static grn_status pick_list(grn_list_t *l, const uint32_t *map)
{
    grn_status rc = GRN_OK;
    grn_list_t out = { 0 };
    if (l->n == 0) return GRN_OK;
    for (size_t i = 0; i < l->n; i++)
        if (map[i] != UINT32_MAX)
            GRN_TRY(grn_list_add(&out, grn_list_get(l, i), strlen(grn_list_get(l, i))));
    grn_list_clear(l);
    *l = out;
    out = (grn_list_t){ 0 };
end:
    grn_list_clear(&out);
    return rc;
}

/* Keeps the features whose label equals `keep`. */
static grn_status filter_features(grn_raw_t *raw, const grn_list_t *label, const char *keep)
{
    grn_status rc = GRN_OK;
    uint32_t *map = NULL, n = 0;
    grn_list_t *lists[] = { &raw->col, &raw->col_id, &raw->col_type, &raw->col_genome };
    GRN_TRY(GRN_NEW_RAW(map, raw->n_cols));
    for (size_t j = 0; j < raw->n_cols; j++)
        map[j] = strcmp(grn_list_get(label, j), keep) == 0 ? n++ : UINT32_MAX;
    GRN_TRY(grn_raw_map_cols(raw, map, n));
    for (size_t k = 0; k < 4; k++) GRN_TRY(pick_list(lists[k], map));
end:
    free(map);
    return rc;
}

/* "Gene Expression 36,601, Peaks 108,377": the levels of a column with their numbers. */
static grn_status show_levels(const grn_list_t *l, grn_names_t *levels, char *buf, size_t cap)
{
    grn_status rc = GRN_OK;
    uint64_t *n = NULL;
    size_t k, used = 0;
    char a[32];
    for (size_t i = 0; i < l->n; i++)
        GRN_TRY(grn_names_add(levels, grn_list_get(l, i), NULL, NULL));
    GRN_TRY(GRN_NEW(n, levels->n));
    for (size_t i = 0; i < l->n; i++) n[grn_names_find(levels, grn_list_get(l, i))]++;
    for (k = 0; k < levels->n && used + 1 < cap; k++)
        used += (size_t)snprintf(buf + used, cap - used, "%s%s %s", k ? ", " : "",
                                 grn_names_get(levels, k), grn_fmt_count(a, n[k]));
end:
    free(n);
    return rc;
}

/* The feature type asked for; by default all features of a file with one type, and genes where
 * there are several. */
static grn_status choose_type(const char *path, const grn_counts_opt_t *opt, grn_raw_t *raw)
{
    grn_status rc = GRN_OK;
    grn_names_t types = { 0 };
    char show[512] = "";
    const char *want = opt->feature_type ? opt->feature_type : "Gene Expression";
    GRN_TRY(show_levels(&raw->col_type, &types, show, sizeof show));
    if (!opt->feature_type && types.n <= 1) goto end;
    if (types.n == 0)
        GRN_FAIL(GRN_EINVAL, "'%s' has no feature types (--feature-type %s)", path, want);
    if (!opt->feature_type && grn_names_find(&types, want) == GRN_NAMES_NONE &&
        grn_names_find(&types, "GEX") != GRN_NAMES_NONE)
        want = "GEX";
    if (grn_names_find(&types, want) == GRN_NAMES_NONE)
        GRN_FAIL(GRN_EINVAL,
                 "'%s' has no features of type '%s'; it has: %s (choose with --feature-type)", path,
                 want, show);
    if (types.n > 1) grn_log_info("'%s': features of type '%s' of: %s", path, want, show);
    rc = filter_features(raw, &raw->col_type, want);
end:
    grn_names_clear(&types);
    return rc;
}

static grn_status choose_genome(const char *path, const grn_counts_opt_t *opt, grn_raw_t *raw)
{
    grn_status rc = GRN_OK;
    grn_names_t genomes = { 0 };
    char show[512] = "";
    if (!opt->genome || raw->col_genome.n == 0) return GRN_OK;
    GRN_TRY(show_levels(&raw->col_genome, &genomes, show, sizeof show));
    if (grn_names_find(&genomes, opt->genome) == GRN_NAMES_NONE)
        GRN_FAIL(GRN_EINVAL, "'%s' has no features of genome '%s'; it has: %s", path, opt->genome,
                 show);
    if (genomes.n > 1) rc = filter_features(raw, &raw->col_genome, opt->genome);
end:
    grn_names_clear(&genomes);
    return rc;
}

/* NAME, then NAME-1, NAME-2 ... for repeats, stepping over names that are taken (as anndata's
 * make_unique). */
static grn_status add_unique(grn_names_t *d, const grn_names_t *taken, const char *name,
                             uint64_t *n_changed)
{
    grn_status rc = GRN_OK;
    grn_str_t s = { 0 };
    if (grn_names_find(d, name) == GRN_NAMES_NONE) return grn_names_add(d, name, NULL, NULL);
    for (unsigned k = 1;; k++) {
        s.n = 0;
        GRN_TRY(grn_str_printf(&s, "%s-%u", name, k));
        if (grn_names_find(d, s.s) == GRN_NAMES_NONE &&
            grn_names_find(taken, s.s) == GRN_NAMES_NONE)
            break;
    }
    (*n_changed)++;
    rc = grn_names_add(d, s.s, NULL, NULL);
end:
    grn_str_clear(&s);
    return rc;
}

static grn_status make_unique(const grn_list_t *l, grn_names_t *out, uint64_t *n_changed)
{
    grn_status rc = GRN_OK;
    grn_names_t taken = { 0 };
    for (size_t i = 0; i < l->n; i++)
        GRN_TRY(grn_names_add(&taken, grn_list_get(l, i), NULL, NULL));
    for (size_t i = 0; i < l->n; i++)
        GRN_TRY(add_unique(out, &taken, grn_list_get(l, i), n_changed));
end:
    grn_names_clear(&taken);
    return rc;
}

/* Cells must be told apart: repeated barcodes get a suffix, and it is said. */
static grn_status name_cells(const char *path, const grn_counts_opt_t *opt, const grn_raw_t *raw,
                             grn_names_t *out)
{
    grn_status rc = GRN_OK;
    uint64_t n = 0;
    char a[32];
    for (size_t i = 0; i < raw->row.n; i++)
        if (!*grn_list_get(&raw->row, i))
            GRN_FAIL(GRN_EFORMAT, "'%s': cell %zu has an empty name", path, i + 1);
    GRN_TRY(make_unique(&raw->row, out, &n));
    if (n && opt->cells_tsv)
        GRN_FAIL(GRN_EFORMAT,
                 "'%s': barcodes occur more than once (%s such cells), so labels cannot be joined "
                 "by barcode",
                 path, grn_fmt_count(a, n));
    if (n)
        grn_log_warn("'%s': %s barcodes occur more than once: made unique with -1, -2 ...", path,
                     grn_fmt_count(a, n));
end:
    return rc;
}

/* Empty feature names become the id. */
static grn_status fill_names(const char *path, grn_raw_t *raw)
{
    grn_status rc = GRN_OK;
    grn_list_t out = { 0 };
    size_t n = 0;
    char a[32];
    for (size_t j = 0; j < raw->col.n; j++) n += grn_is_missing(grn_list_get(&raw->col, j));
    if (n == 0) return GRN_OK;
    for (size_t j = 0; j < raw->col.n; j++) {
        const char *s = grn_list_get(&raw->col, j);
        if (grn_is_missing(s)) s = raw->col_id.n ? grn_list_get(&raw->col_id, j) : "";
        if (!*s) GRN_FAIL(GRN_EFORMAT, "'%s': feature %zu has no name", path, j + 1);
        GRN_TRY(grn_list_add(&out, s, strlen(s)));
    }
    grn_list_clear(&raw->col);
    raw->col = out;
    out = (grn_list_t){ 0 };
    grn_log_info("'%s': %s features without a name go by their id", path, grn_fmt_count(a, n));
end:
    grn_list_clear(&out);
    return rc;
}

/* Features that share a name: one column with their sum (counts), or names told apart. first[j]: a
 * column of the old ones that stands for new column j. */
static grn_status name_features(const char *path, const grn_counts_opt_t *opt, grn_raw_t *raw,
                                grn_names_t *out, uint32_t **first)
{
    grn_status rc = GRN_OK;
    uint32_t *map = NULL;
    size_t k, example = 0;
    uint64_t n_dup = 0, n_changed = 0;
    int is_new, counts = grn_raw_is_counts(raw);
    char a[32];
    GRN_TRY(fill_names(path, raw));
    GRN_TRY(GRN_NEW_RAW(map, raw->n_cols));
    GRN_TRY(GRN_NEW_RAW(*first, raw->n_cols));
    for (size_t j = 0; j < raw->n_cols; j++) {
        GRN_TRY(grn_names_add(out, grn_list_get(&raw->col, j), &k, &is_new));
        map[j] = (uint32_t)k;
        if (is_new) (*first)[k] = (uint32_t)j;
        else if (n_dup++ == 0) example = j;
    }
    if (n_dup == 0) goto end;
    const char *name = grn_list_get(&raw->col, example);
    if (opt->dup == GRN_DUP_ERROR)
        GRN_FAIL(GRN_EFORMAT,
                 "'%s': gene name '%s' occurs more than once (%s such columns; --duplicate-genes "
                 "sum or unique)",
                 path, name, grn_fmt_count(a, n_dup));
    if (opt->dup == GRN_DUP_SUM && counts) {
        grn_log_info("'%s': %s columns have a gene name seen before (first '%s'): added to the "
                     "first of that name",
                     path, grn_fmt_count(a, n_dup), name);
        rc = grn_raw_map_cols(raw, map, out->n);
        goto end;
    }
    grn_names_clear(out);
    GRN_TRY(make_unique(&raw->col, out, &n_changed));
    for (size_t j = 0; j < raw->n_cols; j++) (*first)[j] = (uint32_t)j;
    grn_log_info("'%s': %s columns have a gene name seen before (first '%s'): named -1, -2 ...%s",
                 path, grn_fmt_count(a, n_dup), name,
                 opt->dup == GRN_DUP_SUM ? " (not summed: these are no counts)" : "");
end:
    free(map);
    return rc;
}

/* ---- the matrix ---- */

static grn_status add_label(grn_attrs_t *as, const char *name, const grn_list_t *text)
{
    grn_status rc = GRN_OK;
    grn_names_t levels = { 0 };
    int32_t *code = NULL;
    if (text->n == 0) return GRN_OK;
    GRN_TRY(grn_labels_code(text, &code, &levels));
    if (levels.n) GRN_TRY(grn_attr_add_code(as, name, code, &levels));
    else goto end;
    code = NULL;
    levels = (grn_names_t){ 0 };
end:
    free(code);
    grn_names_clear(&levels);
    return rc;
}

/* A column list for the new columns. */
static grn_status add_feature_label(grn_matrix_t *m, const char *name, const grn_list_t *text,
                                    const uint32_t *first)
{
    grn_status rc = GRN_OK;
    grn_list_t picked = { 0 };
    if (text->n == 0) return GRN_OK;
    for (uint64_t j = 0; j < m->n_cols; j++)
        GRN_TRY(grn_list_add(&picked, grn_list_get(text, first[j]),
                             strlen(grn_list_get(text, first[j]))));
    rc = add_label(&m->col_attr, name, &picked);
end:
    grn_list_clear(&picked);
    return rc;
}

static void report(const char *path, const grn_raw_t *raw, const grn_matrix_t *m)
{
    char a[32], b[32], c[32];
    const grn_attr_t *t = grn_attr_find(&m->row_attr, "cell_type"),
                     *d = grn_attr_find(&m->row_attr, "donor");
    char label[320] = "";
    size_t n = 0;
    if (t)
        n = (size_t)snprintf(label, sizeof label, "; %zu cell types from '%s'", t->levels.n,
                             raw->cell_type_from);
    if (d)
        snprintf(label + n, sizeof label - n, "; %zu donors from '%s'", d->levels.n,
                 raw->donor_from);
    grn_log_info("'%s' (%s): %s cells x %s features, %s non-zeros%s", path, raw->format,
                 grn_fmt_count(a, m->n_rows), grn_fmt_count(b, m->n_cols),
                 grn_fmt_count(c, m->indptr[m->n_rows]), label);
    if (m->indptr[m->n_rows] == 0) grn_log_warn("'%s' has no value other than zero", path);
}

/* Settles values, features and names, and moves raw into m. */
static grn_status settle(const char *path, const grn_counts_opt_t *opt, grn_raw_t *raw,
                         grn_matrix_t *m)
{
    grn_status rc = GRN_OK;
    uint64_t n_dup;
    uint32_t *first = NULL;
    char a[32];
    if (raw->n_rows == 0) GRN_FAIL(GRN_EFORMAT, "'%s' has no cells", path);
    if (raw->n_cols == 0) GRN_FAIL(GRN_EFORMAT, "'%s' has no features", path);
    GRN_TRY(grn_raw_tidy(raw, &n_dup));
    if (n_dup)
        grn_log_warn("'%s': %s entries are given more than once: added up", path,
                     grn_fmt_count(a, n_dup));
    GRN_TRY(check_values(path, opt, raw));
    GRN_TRY(choose_genome(path, opt, raw));
    GRN_TRY(choose_type(path, opt, raw));
    GRN_TRY(name_cells(path, opt, raw, &m->row));
    uint64_t n_big = raw->big.n;
    GRN_TRY(name_features(path, opt, raw, &m->col, &first));
    if (raw->big.n > n_big && !raw->fraction.n)
        GRN_FAIL(GRN_EFORMAT, "'%s': a sum of columns of one gene name is above 16,777,216", path);
    if (opt->cells_tsv) GRN_TRY(grn_labels_join(raw, path, opt));
    m->n_rows = raw->n_rows;
    m->n_cols = raw->n_cols;
    GRN_TRY(add_label(&m->row_attr, "cell_type", &raw->cell_type));
    GRN_TRY(add_label(&m->row_attr, "donor", &raw->donor));
    for (size_t k = 0; k < opt->n_also; k++)
        if (!grn_attr_find(&m->row_attr, opt->also[k]))
            GRN_TRY(add_label(&m->row_attr, opt->also[k], &raw->also[k]));
    GRN_TRY(add_feature_label(m, "gene_id", &raw->col_id, first));
    GRN_TRY(add_feature_label(m, "feature_type", &raw->col_type, first));
    GRN_TRY(add_feature_label(m, "genome", &raw->col_genome, first));
    m->indptr = raw->indptr;
    m->indices = raw->indices;
    m->data = raw->data;
    raw->indptr = NULL;
    raw->indices = NULL;
    raw->data = NULL;
    report(path, raw, m);
end:
    free(first);
    return rc;
}

grn_status grn_counts_label(const char *path, const grn_counts_opt_t *opt, grn_matrix_t *m)
{
    grn_status rc = GRN_OK;
    grn_raw_t raw = { 0 };
    for (uint64_t i = 0; i < m->n_rows; i++) {
        const char *s = grn_names_get(&m->row, i);
        GRN_TRY(grn_list_add(&raw.row, s, strlen(s)));
    }
    GRN_TRY(grn_labels_join(&raw, path, opt));
    GRN_TRY(add_label(&m->row_attr, "cell_type", &raw.cell_type));
    GRN_TRY(add_label(&m->row_attr, "donor", &raw.donor));
    for (size_t k = 0; k < opt->n_also; k++)
        if (!grn_attr_find(&m->row_attr, opt->also[k]))
            GRN_TRY(add_label(&m->row_attr, opt->also[k], &raw.also[k]));
end:
    grn_raw_clear(&raw);
    return rc;
}

/* The same demand on a matrix of the tools' own container, whose values are finite by its schema.
 */
static grn_status require_counts(const char *path, const grn_matrix_t *m)
{
    const float *v = m->is_dense ? m->dense : m->data;
    uint64_t n = m->is_dense ? m->n_rows * m->n_cols : m->indptr[m->n_rows];
    for (uint64_t k = 0; k < n; k++)
        if (!(v[k] >= 0 && v[k] <= 16777216.0f && v[k] == (float)(uint32_t)v[k]))
            return grn_err(GRN_EFORMAT, "'%s' value %llu: %g is no count; raw counts are expected",
                           path, (unsigned long long)k, (double)v[k]);
    return GRN_OK;
}

grn_status grn_counts_load(const char *path, const grn_counts_opt_t *opt, grn_par_t *pool,
                           grn_matrix_t *m)
{
    static const grn_counts_opt_t defaults = GRN_COUNTS_OPT_INIT;
    grn_status rc = GRN_OK;
    grn_raw_t raw = { 0 };
    if (!opt) opt = &defaults;
    GRN_TRY(grn_path_rewindable(&path));
    int is_stdin = strcmp(path, "-") == 0;
    if (grn_cr_sniff(is_stdin ? "/proc/self/fd/0" : path)) {
        GRN_TRY(grn_matrix_load(path, pool, m));
        if (opt->require_counts) GRN_TRY(require_counts(path, m));
        if (opt->cells_tsv) GRN_TRY(grn_counts_label(path, opt, m));
        return GRN_OK;
    }
    GRN_TRY(read_raw(path, opt, &raw));
    GRN_TRY(settle(path, opt, &raw, m));
    GRN_TRY(grn_prov_input(path, NULL));
    if (opt->cells_tsv) GRN_TRY(grn_prov_input(opt->cells_tsv, NULL));
end:
    grn_raw_clear(&raw);
    if (rc != GRN_OK) grn_matrix_clear(m);
    return rc;
}

grn_status grn_counts_cli(const grn_counts_cli_t *cli, grn_counts_opt_t *opt)
{
    *opt = (grn_counts_opt_t)GRN_COUNTS_OPT_INIT;
    opt->layer = cli->layer;
    opt->gene_column = cli->gene_column;
    opt->feature_type = cli->feature_type;
    opt->genome = cli->genome;
    opt->cells_tsv = cli->cells_tsv;
    opt->cell_type = cli->cell_type;
    opt->donor = cli->donor;
    opt->allow_nonfinite = cli->allow_nonfinite;
    opt->dup = strcmp(cli->dup, "unique") == 0  ? GRN_DUP_UNIQUE
               : strcmp(cli->dup, "error") == 0 ? GRN_DUP_ERROR
                                                : GRN_DUP_SUM;
    opt->orient = strcmp(cli->orient, "cells") == 0   ? GRN_ORIENT_CELLS_ROWS
                  : strcmp(cli->orient, "genes") == 0 ? GRN_ORIENT_GENES_ROWS
                                                      : GRN_ORIENT_AUTO;
    return GRN_OK;
}
