/* MatrixMarket coordinate files with names beside them: 10x folders v2 (genes.tsv) and v3
 * (features.tsv.gz), cellranger-atac (peaks.bed), and bare .mtx files as GEO and R scripts leave
 * them (math.nist.gov/MatrixMarket/formats.html). */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/readers.h"

typedef struct {
    uint64_t n_rows, n_cols, n;
    uint32_t *i, *j;
    float *v;
} triplets_t;

static void triplets_clear(triplets_t *t)
{
    free(t->i);
    free(t->j);
    free(t->v);
}

/* ---- the matrix ---- */

/* Banner and sizes. *pattern: entries have no value. */
static grn_status read_header(grn_text_t *t, triplets_t *m, int *pattern)
{
    char *line, *word[8];
    int got = grn_text_next(t, &line, NULL);
    if (got < 0) return (grn_status)got;
    if (got == 0)
        return grn_err(GRN_EFORMAT, "'%s' is empty; a MatrixMarket file is expected",
                       grn_text_path(t));
    const char *p = line + strspn(line, "%"); /* some writers put one % */
    if (p == line || strncasecmp(p, "MatrixMarket", 12) != 0)
        return grn_text_fail(
            t, GRN_EFORMAT,
            "no MatrixMarket banner (\"%%%%MatrixMarket matrix coordinate ...\" expected)");
    size_t n = grn_split(line, ' ', word, 8);
    if (n < 5 || strcasecmp(word[1], "matrix") != 0 || strcasecmp(word[2], "coordinate") != 0)
        return grn_text_fail(t, GRN_EUNSUP, "a coordinate matrix is expected, found '%s %s'",
                             n > 1 ? word[1] : "", n > 2 ? word[2] : "");
    *pattern = strcasecmp(word[3], "pattern") == 0;
    if (!*pattern && strcasecmp(word[3], "integer") != 0 && strcasecmp(word[3], "real") != 0 &&
        strcasecmp(word[3], "double") != 0)
        return grn_text_fail(t, GRN_EUNSUP,
                             "entries are '%s'; integer, real or pattern is expected", word[3]);
    if (strcasecmp(word[4], "general") != 0)
        return grn_text_fail(t, GRN_EUNSUP, "the matrix is '%s'; general is expected", word[4]);
    while ((got = grn_text_next(t, &line, NULL)) == 1 && (*line == '%' || *line == 0)) continue;
    if (got < 0) return (grn_status)got;
    p = line;
    uint64_t size[3];
    for (int k = 0; k < 3 && got == 1; k++) {
        p += strspn(p, " \t");
        if (!grn_scan_u64(&p, &size[k])) got = 0;
    }
    if (got == 0 || p[strspn(p, " \t")])
        return grn_text_fail(t, GRN_EFORMAT, "sizes are expected: rows, columns, entries");
    m->n_rows = size[0];
    m->n_cols = size[1];
    m->n = size[2];
    if (m->n_rows >= UINT32_MAX || m->n_cols >= UINT32_MAX)
        return grn_text_fail(t, GRN_EUNSUP, "more than 4,294,967,294 rows or columns");
    return GRN_OK;
}

/* One entry "row column value". */
static grn_status read_entry(grn_text_t *t, const char *p, int pattern, triplets_t *m, uint64_t k,
                             grn_raw_t *raw)
{
    uint64_t i = 0, j = 0, u;
    double v = 1;
    p += strspn(p, " \t");
    int ok = grn_scan_u64(&p, &i) && (*p == ' ' || *p == '\t');
    p += strspn(p, " \t");
    ok = ok && grn_scan_u64(&p, &j);
    if (ok && !pattern) {
        ok = *p == ' ' || *p == '\t';
        p += strspn(p, " \t");
        const char *start = p;
        if (grn_scan_u64(&p, &u) && *p == 0) {
            v = (double)u;
        } else {
            p = start;
            ok = ok && grn_scan_f64(&p, &v);
        }
    }
    if (ok) p += strspn(p, " \t");
    if (!ok || *p)
        return grn_text_fail(t, GRN_EFORMAT, "'%.60s' where row, column%s are expected", p,
                             pattern ? "" : " and value");
    if (i == 0 || j == 0 || i > m->n_rows || j > m->n_cols)
        return grn_text_fail(
            t, GRN_EFORMAT,
            "entry (%llu, %llu) is outside the matrix of %llu x %llu (counted from 1)",
            (unsigned long long)i, (unsigned long long)j, (unsigned long long)m->n_rows,
            (unsigned long long)m->n_cols);
    m->i[k] = (uint32_t)(i - 1);
    m->j[k] = (uint32_t)(j - 1);
    m->v[k] = grn_raw_value(raw, v, grn_text_line(t));
    return GRN_OK;
}

static grn_status read_triplets(const char *path, triplets_t *m, grn_raw_t *raw)
{
    grn_status rc = GRN_OK;
    grn_text_t *t = NULL;
    char *line;
    size_t cap_i = 0, cap_j = 0, cap_v = 0;
    uint64_t k = 0;
    int pattern = 0, got;
    GRN_TRY(grn_text_open(&t, path));
    GRN_TRY(read_header(t, m, &pattern));
    while ((got = grn_text_next(t, &line, NULL)) == 1) {
        if (*line == 0) continue;
        if (k == m->n)
            GRN_TRY(grn_text_fail(t, GRN_EFORMAT, "more entries than the %llu of the header",
                                  (unsigned long long)m->n));
        GRN_TRY(GRN_GROW(m->i, cap_i, k + 1));
        GRN_TRY(GRN_GROW(m->j, cap_j, k + 1));
        GRN_TRY(GRN_GROW(m->v, cap_v, k + 1));
        GRN_TRY(read_entry(t, line, pattern, m, k, raw));
        k++;
    }
    if (got < 0) GRN_TRY((grn_status)got);
    if (k < m->n)
        GRN_FAIL(GRN_ETRUNC, "'%s' is truncated: it ends after %llu of %llu entries", path,
                 (unsigned long long)k, (unsigned long long)m->n);
    snprintf(raw->where_word, sizeof raw->where_word, "line");
end:
    grn_text_close(t);
    return rc;
}

/* Counting sort of the entries by cell; columns within a cell may stay unsorted. */
static grn_status to_rows(const triplets_t *m, int cells_are_rows, grn_raw_t *raw)
{
    const uint32_t *cell = cells_are_rows ? m->i : m->j, *gene = cells_are_rows ? m->j : m->i;
    uint64_t n_cells = cells_are_rows ? m->n_rows : m->n_cols,
             n_genes = cells_are_rows ? m->n_cols : m->n_rows;
    uint64_t *next = NULL;
    grn_status rc = GRN_OK;
    GRN_TRY(grn_raw_alloc(raw, n_cells, n_genes, m->n));
    GRN_TRY(GRN_NEW_RAW(next, n_cells));
    for (uint64_t k = 0; k < m->n; k++) raw->indptr[cell[k] + 1]++;
    grn_raw_prefix(raw->indptr, n_cells);
    memcpy(next, raw->indptr, n_cells * sizeof *next);
    for (uint64_t k = 0; k < m->n; k++) {
        uint64_t at = next[cell[k]]++;
        raw->indices[at] = gene[k];
        raw->data[at] = m->v[k];
    }
end:
    free(next);
    return rc;
}

/* ---- names ---- */

typedef struct {
    char *path;
    const char *base;
    size_t n_lines, common; /* lines; bytes shared with the matrix file's name */
    int cells;              /* by its name: 1 cells, 0 features */
} names_file_t;

static int has_suffix(const char *s, const char *suffix)
{
    size_t n = strlen(s), m = strlen(suffix);
    return n >= m && strcmp(s + n - m, suffix) == 0;
}

/* Is it a table of names, by its own name? 1 cells, 0 features, -1 neither. */
static int names_kind(const char *base)
{
    static const char *const ends[] = { ".tsv", ".txt", ".csv", ".bed" };
    char low[256];
    size_t n = 0;
    for (; base[n] && n + 1 < sizeof low; n++)
        low[n] = (char)(base[n] >= 'A' && base[n] <= 'Z' ? base[n] + 32 : base[n]);
    low[n] = 0;
    if (has_suffix(low, ".gz")) low[n - 3] = 0;
    int table = 0;
    for (size_t i = 0; i < 4; i++) table |= has_suffix(low, ends[i]);
    if (!table) return -1;
    if (strstr(low, "barcode") || strstr(low, "cells") || strstr(low, "cell_")) return 1;
    if (strstr(low, "gene") || strstr(low, "feature") || strstr(low, "peak") ||
        strstr(low, "region"))
        return 0;
    return -1;
}

static grn_status count_lines(const char *path, size_t *n)
{
    grn_text_t *t = NULL;
    char *line;
    int got = 0;
    *n = 0;
    grn_status rc = grn_text_open(&t, path);
    if (rc != GRN_OK) return rc;
    while ((got = grn_text_next(t, &line, NULL)) == 1) *n += *line != 0;
    grn_text_close(t);
    return got < 0 ? (grn_status)got : GRN_OK;
}

static size_t common_prefix(const char *a, const char *b)
{
    size_t n = 0;
    while (a[n] && a[n] == b[n]) n++;
    return n;
}

typedef struct {
    names_file_t *f;
    size_t n, cap;
} names_files_t;

/* A matrix and a table of names that both say which kind of features they hold. */
static int same_kind(const char *mtx_base, const char *base)
{
    int rna = strstr(mtx_base, "rna") || strstr(mtx_base, "gene") || strstr(mtx_base, "gex") ||
              strstr(mtx_base, "RNA");
    int atac = strstr(mtx_base, "atac") || strstr(mtx_base, "peak") || strstr(mtx_base, "ATAC");
    int genes = strstr(base, "gene") || strstr(base, "feature"),
        peaks = strstr(base, "peak") || strstr(base, "region");
    return (rna && !atac && genes) || (atac && !rna && peaks);
}

/* All tables of names in the folder of the matrix. */
static grn_status list_names(const char *dir, const char *mtx_base, names_files_t *out)
{
    grn_status rc = GRN_OK;
    grn_str_t path = { 0 };
    DIR *d = opendir(dir);
    if (!d) return grn_err(GRN_EIO, "cannot list '%s'", dir);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        int kind = names_kind(e->d_name);
        if (kind < 0) continue;
        path.n = 0;
        GRN_TRY(grn_str_printf(&path, "%s/%s", dir, e->d_name));
        GRN_TRY(GRN_GROW(out->f, out->cap, out->n + 1));
        names_file_t *f = &out->f[out->n];
        GRN_TRY(GRN_NEW_RAW(f->path, path.n + 1));
        out->n++;
        memcpy(f->path, path.s, path.n + 1);
        f->base = grn_path_base(f->path);
        f->cells = kind;
        f->common =
            common_prefix(f->base, mtx_base) + (size_t)(same_kind(mtx_base, f->base) ? 1000 : 0);
        rc = count_lines(f->path, &f->n_lines);
        if (rc != GRN_OK && f->common == 0 && strncmp(mtx_base, "matrix.mtx", 10) != 0)
            f->n_lines = SIZE_MAX - 1, rc = GRN_OK; /* not ours */
        GRN_TRY(rc);
    }
end:
    closedir(d);
    grn_str_clear(&path);
    return rc;
}

/* The file for n names: of the right kind and length (one line more for a header), sharing most of
 * its name with the matrix. NULL: none; two equally good ones: *tie. */
static const names_file_t *best_names(const names_files_t *fs, int cells, uint64_t n, int *tie)
{
    const names_file_t *best = NULL;
    *tie = 0;
    for (size_t k = 0; k < fs->n; k++) {
        const names_file_t *f = &fs->f[k];
        if (f->cells != cells || (f->n_lines != n && f->n_lines != n + 1)) continue;
        int exact = f->n_lines == n, best_exact = best && best->n_lines == n;
        if (best && exact == best_exact && f->common == best->common) *tie = 1;
        if (!best || exact > best_exact || (exact == best_exact && f->common > best->common))
            best = f, *tie = 0;
    }
    return best;
}

static grn_status load_cells(const names_file_t *f, uint64_t n, grn_raw_t *raw)
{
    grn_status rc = GRN_OK;
    grn_text_t *t = NULL;
    char *line, *field[2];
    int got;
    size_t skip = f->n_lines - n;
    GRN_TRY(grn_text_open(&t, f->path));
    while ((got = grn_text_next(t, &line, NULL)) == 1) {
        if (*line == 0 || skip) {
            if (*line) skip = 0;
            continue;
        }
        grn_split(line, grn_separator(line), field, 2);
        GRN_TRY(grn_list_add(&raw->row, field[0], strlen(field[0])));
    }
    if (got < 0) rc = (grn_status)got;
end:
    grn_text_close(t);
    return rc;
}

static int is_uint(const char *s)
{
    const char *p = s;
    uint64_t v;
    return grn_scan_u64(&p, &v) && *p == 0;
}

/* "chr start end [name]" becomes chr:start-end, or the name where the file is one of genes; "id
 * name type", "id name", "name". */
static grn_status add_feature(const char *base, char **field, size_t n, grn_raw_t *raw)
{
    grn_status rc = GRN_OK;
    if (n >= 3 && is_uint(field[1]) && is_uint(field[2])) {
        char name[512];
        int named = n >= 4 && strstr(base, "gene") && *field[3];
        snprintf(name, sizeof name, "%s:%s-%s", field[0], field[1], field[2]);
        const char *use = named ? field[3] : name;
        GRN_TRY(grn_list_add(&raw->col, use, strlen(use)));
        return GRN_OK;
    }
    const char *name = n >= 2 ? field[1] : field[0];
    GRN_TRY(grn_list_add(&raw->col_id, field[0], strlen(field[0])));
    GRN_TRY(grn_list_add(&raw->col, name, strlen(name)));
    if (n >= 3) GRN_TRY(grn_list_add(&raw->col_type, field[2], strlen(field[2])));
end:
    return rc;
}

static grn_status load_features(const names_file_t *f, uint64_t n, grn_raw_t *raw)
{
    grn_status rc = GRN_OK;
    grn_text_t *t = NULL;
    char *line, *field[8];
    int got;
    size_t skip = f->n_lines - n, n_fields = 0;
    GRN_TRY(grn_text_open(&t, f->path));
    while ((got = grn_text_next(t, &line, NULL)) == 1) {
        if (*line == 0 || skip) {
            if (*line) skip = 0;
            continue;
        }
        size_t m = grn_split(line, grn_separator(line), field, 8);
        if (n_fields && m != n_fields)
            GRN_TRY(
                grn_text_fail(t, GRN_EFORMAT, "%zu fields, %zu in the lines before", m, n_fields));
        n_fields = m;
        GRN_TRY(add_feature(f->base, field, m, raw));
    }
    if (got < 0) GRN_TRY((grn_status)got);
    if (n_fields == 1) grn_list_clear(&raw->col_id);
    if (n_fields >= 2 && raw->col_id.n && !grn_mostly_ensembl(&raw->col_id) &&
        grn_mostly_ensembl(&raw->col)) {
        grn_list_t swap = raw->col; /* "name id" */
        raw->col = raw->col_id;
        raw->col_id = swap;
    }
end:
    grn_text_close(t);
    return rc;
}

/* The message for names that are missing or of another number. */
static grn_status no_names(const char *dir, const char *base, const triplets_t *m,
                           const names_files_t *fs, int cells)
{
    const names_file_t *near = NULL;
    unsigned long long n = cells ? m->n_cols : m->n_rows;
    for (size_t k = 0; k < fs->n; k++)
        if (fs->f[k].cells == cells && (!near || fs->f[k].common > near->common)) near = &fs->f[k];
    const char *what = cells ? "barcodes.tsv" : "features.tsv or genes.tsv";
    if (!near)
        return grn_err(GRN_EFORMAT, "'%s/%s' has %llu %s, but there is no %s beside it", dir, base,
                       n, cells ? "columns" : "rows", what);
    return grn_err(GRN_ESHAPE, "'%s/%s' has %llu %s, but '%s' has %zu lines", dir, base, n,
                   cells ? "columns" : "rows", near->base, near->n_lines);
}

/* Finds the names of both sides and which side the cells are on: columns by 10x's convention, rows
 * if only that fits. */
static grn_status find_names(const char *dir, const char *base, const triplets_t *m, grn_raw_t *raw,
                             int *cells_are_rows)
{
    grn_status rc = GRN_OK;
    names_files_t fs = { 0 };
    int tie[2] = { 0 };
    GRN_TRY(list_names(dir, base, &fs));
    const names_file_t *cells = best_names(&fs, 1, m->n_cols, &tie[0]),
                       *features = best_names(&fs, 0, m->n_rows, &tie[1]);
    *cells_are_rows = 0;
    if (!cells || !features) {
        const names_file_t *c = best_names(&fs, 1, m->n_rows, &tie[0]),
                           *f = best_names(&fs, 0, m->n_cols, &tie[1]);
        if (c && f)
            cells = c, features = f, *cells_are_rows = 1,
            grn_log_info("'%s/%s' is cells x features", dir, base);
    }
    if (!cells || !features) GRN_TRY(no_names(dir, base, m, &fs, cells == NULL));
    if (tie[0] || tie[1])
        GRN_FAIL(GRN_EFORMAT, "'%s/%s': several files could hold the %s; keep one beside it", dir,
                 base, tie[0] ? "barcodes" : "feature names");
    if (strcmp(base, "matrix.mtx") != 0 && strcmp(base, "matrix.mtx.gz") != 0)
        grn_log_info("'%s': names from '%s' and '%s'", base, features->base, cells->base);
    GRN_TRY(load_cells(cells, *cells_are_rows ? m->n_rows : m->n_cols, raw));
    GRN_TRY(load_features(features, *cells_are_rows ? m->n_cols : m->n_rows, raw));
end:
    for (size_t k = 0; k < fs.n; k++) free(fs.f[k].path);
    free(fs.f);
    return rc;
}

/* The matrix file of a folder. */
static grn_status find_matrix(const char *dir, grn_str_t *path)
{
    static const char *const names[] = { "matrix.mtx.gz", "matrix.mtx", "matrix.mtx.zst" };
    static const char *const hints[] = { "filtered_feature_bc_matrix", "filtered_gene_bc_matrices",
                                         "filtered_peak_bc_matrix", "outs" };
    grn_status rc = GRN_OK;
    struct stat st;
    for (size_t k = 0; k < 3; k++) {
        path->n = 0;
        GRN_TRY(grn_str_printf(path, "%s/%s", dir, names[k]));
        if (stat(path->s, &st) == 0) return GRN_OK;
    }
    for (size_t k = 0; k < 4; k++) {
        path->n = 0;
        GRN_TRY(grn_str_printf(path, "%s/%s", dir, hints[k]));
        if (stat(path->s, &st) == 0)
            GRN_FAIL(GRN_EFORMAT, "'%s' has no matrix.mtx(.gz); give '%s'", dir, path->s);
    }
    static const char *const zarr[] = { ".zgroup", "zarr.json", ".zattrs", ".zmetadata" };
    for (size_t k = 0; k < 4; k++) {
        path->n = 0;
        GRN_TRY(grn_str_printf(path, "%s/%s", dir, zarr[k]));
        if (stat(path->s, &st) == 0)
            GRN_FAIL(GRN_EUNSUP,
                     "'%s' is a zarr store, which is not read; write it as h5ad (Python: "
                     "anndata.read_zarr(x).write_h5ad(y))",
                     dir);
    }
    GRN_FAIL(GRN_EFORMAT, "folder '%s' has no matrix.mtx or matrix.mtx.gz", dir);
end:
    return rc;
}

grn_status grn_mtx_read(const char *path, const grn_counts_opt_t *opt, grn_raw_t *raw)
{
    grn_status rc = GRN_OK;
    grn_str_t file = { 0 }, dir = { 0 };
    triplets_t m = { 0 };
    struct stat st;
    int cells_are_rows = 0;
    if (strcmp(path, "-") == 0)
        GRN_FAIL(
            GRN_EUSAGE,
            "a MatrixMarket matrix cannot be read from stdin: its names stand in files beside it");
    if (opt->layer)
        GRN_FAIL(GRN_EINVAL, "'%s' is a MatrixMarket file, which has no layers (--layer %s)", path,
                 opt->layer);
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        GRN_TRY(grn_str_puts(&dir, path));
        while (dir.n > 1 && dir.s[dir.n - 1] == '/') dir.s[--dir.n] = 0;
        GRN_TRY(find_matrix(dir.s, &file));
    } else {
        size_t n = (size_t)(grn_path_base(path) - path);
        GRN_TRY(grn_str_puts(&file, path));
        GRN_TRY(n ? grn_str_add(&dir, path, n > 1 ? n - 1 : 1) : grn_str_puts(&dir, "."));
    }
    GRN_TRY(read_triplets(file.s, &m, raw));
    GRN_TRY(find_names(dir.s, grn_path_base(file.s), &m, raw, &cells_are_rows));
    GRN_TRY(to_rows(&m, cells_are_rows, raw));
    raw->format = "MatrixMarket";
    rc = grn_tenx_pick_names(path, opt, raw);
end:
    triplets_clear(&m);
    grn_str_clear(&file);
    grn_str_clear(&dir);
    return rc;
}
