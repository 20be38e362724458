/* anndata's .h5ad, every generation: encodings 0.1.0/0.2.0 (anndata >= 0.8), dataframes with
 * __categories (0.7), compound obs and var with categories in uns (<= 0.6); X, raw and layers as
 * dense arrays, CSR or CSC (anndata on-disk format specification). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/h5.h"
#include "io/readers.h"

/* ---- obs and var ---- */

/* Name of the index: attribute "_index", or the usual ones. */
static grn_status frame_index_name(const grn_h5_t *h, const char *frame, grn_str_t *out)
{
    grn_list_t fields = { 0 };
    grn_str_t path = { 0 };
    grn_status rc = GRN_OK;
    const char *name = NULL;
    if (grn_h5_kind_of(h, frame) == GRN_H5_DATASET) {
        GRN_TRY(grn_h5_fields(h, frame, &fields));
        if (fields.n == 0) GRN_FAIL(GRN_EFORMAT, "'%s': '%s' is no table", h->path, frame);
        name = grn_list_find(&fields, "index") != GRN_NO_COLUMN    ? "index"
               : grn_list_find(&fields, "_index") != GRN_NO_COLUMN ? "_index"
                                                                   : grn_list_get(&fields, 0);
    } else {
        int got = grn_h5_attr_str(h, frame, "_index", out);
        if (got < 0) GRN_TRY((grn_status)got);
        if (got == 1) goto end;
        GRN_TRY(grn_str_printf(&path, "%s/index", frame));
        name = grn_h5_kind_of(h, path.s) == GRN_H5_DATASET ? "index" : "_index";
    }
    out->n = 0;
    rc = grn_str_puts(out, name);
end:
    grn_list_clear(&fields);
    grn_str_clear(&path);
    return rc;
}

static grn_status frame_columns(const grn_h5_t *h, const char *frame, grn_list_t *out)
{
    if (grn_h5_kind_of(h, frame) == GRN_H5_DATASET) return grn_h5_fields(h, frame, out);
    int got = grn_h5_attr_list(h, frame, "column-order", out);
    if (got < 0) return (grn_status)got;
    return out->n ? GRN_OK : grn_h5_members(h, frame, out);
}

/* codes into categories, both given by path, as text. */
static grn_status categorical(const grn_h5_t *h, const char *categories, const int64_t *code,
                              uint64_t n, const char *what, grn_list_t *out)
{
    grn_status rc = GRN_OK;
    grn_list_t level = { 0 };
    GRN_TRY(grn_h5_load_text(h, categories, NULL, &level));
    for (uint64_t i = 0; i < n; i++) {
        if (code[i] >= (int64_t)level.n)
            GRN_FAIL(GRN_EFORMAT, "'%s': '%s' has code %lld, but there are %zu categories", h->path,
                     what, (long long)code[i], level.n);
        const char *s = code[i] < 0 ? "" : grn_list_get(&level, (size_t)code[i]);
        GRN_TRY(grn_list_add(out, s, strlen(s)));
    }
end:
    grn_list_clear(&level);
    return rc;
}

/* values with the entries where mask is true left empty (nullable-integer, -boolean,
 * -string-array). */
static grn_status nullable(const grn_h5_t *h, const char *col, grn_list_t *out)
{
    grn_status rc = GRN_OK;
    grn_list_t value = { 0 };
    grn_str_t path = { 0 };
    int64_t *mask = NULL;
    uint64_t n;
    GRN_TRY(grn_str_printf(&path, "%s/values", col));
    GRN_TRY(grn_h5_load_text(h, path.s, NULL, &value));
    path.n = 0;
    GRN_TRY(grn_str_printf(&path, "%s/mask", col));
    GRN_TRY(grn_h5_load_i64(h, path.s, &mask, &n));
    if (n != value.n)
        GRN_FAIL(GRN_EFORMAT, "'%s': '%s' has %zu values and %llu mask entries", h->path, col,
                 value.n, (unsigned long long)n);
    for (size_t i = 0; i < value.n; i++) {
        const char *s = mask[i] ? "" : grn_list_get(&value, i);
        GRN_TRY(grn_list_add(out, s, strlen(s)));
    }
end:
    grn_list_clear(&value);
    grn_str_clear(&path);
    free(mask);
    return rc;
}

/* A column of a compound table (<= 0.6): codes whose categories are in uns, or plain. */
static grn_status compound_column(const grn_h5_t *h, const char *frame, const char *name,
                                  grn_list_t *out)
{
    grn_status rc = GRN_OK;
    grn_str_t path = { 0 };
    int64_t *code = NULL;
    uint64_t n;
    GRN_TRY(grn_str_printf(&path, "uns/%s_categories", name));
    if (grn_h5_kind_of(h, path.s) == GRN_H5_DATASET) {
        GRN_TRY(grn_h5_field_i64(h, frame, name, &code, &n));
        rc = categorical(h, path.s, code, n, name, out);
    } else {
        rc = grn_h5_load_text(h, frame, name, out);
    }
end:
    grn_str_clear(&path);
    free(code);
    return rc;
}

/* A column that is a group: categorical (codes, categories) or nullable (values, mask). */
static grn_status group_column(const grn_h5_t *h, const char *col, grn_list_t *out)
{
    grn_status rc = GRN_OK;
    grn_str_t codes = { 0 }, cats = { 0 };
    int64_t *code = NULL;
    uint64_t n;
    GRN_TRY(grn_str_printf(&codes, "%s/codes", col));
    GRN_TRY(grn_str_printf(&cats, "%s/categories", col));
    if (grn_h5_kind_of(h, codes.s) != GRN_H5_DATASET) {
        rc = nullable(h, col, out);
        goto end;
    }
    GRN_TRY(grn_h5_load_i64(h, codes.s, &code, &n));
    if (grn_h5_kind_of(h, cats.s) == GRN_H5_GROUP) { /* nullable strings as categories */
        grn_list_t level = { 0 };
        rc = nullable(h, cats.s, &level);
        for (uint64_t i = 0; i < n && rc == GRN_OK; i++) {
            if (code[i] >= (int64_t)level.n)
                rc = grn_err(GRN_EFORMAT, "'%s': '%s' has a code above its categories", h->path,
                             col);
            else if (code[i] < 0) rc = grn_list_add(out, "", 0);
            else
                rc = grn_list_add(out, grn_list_get(&level, (size_t)code[i]),
                                  strlen(grn_list_get(&level, (size_t)code[i])));
        }
        grn_list_clear(&level);
    } else {
        rc = categorical(h, cats.s, code, n, col, out);
    }
end:
    grn_str_clear(&codes);
    grn_str_clear(&cats);
    free(code);
    return rc;
}

/* Any column of obs or var as text; missing values are "". */
static grn_status frame_column(const grn_h5_t *h, const char *frame, const char *name,
                               grn_list_t *out)
{
    grn_status rc = GRN_OK;
    grn_str_t col = { 0 }, cats = { 0 };
    int64_t *code = NULL;
    uint64_t n;
    if (grn_h5_kind_of(h, frame) == GRN_H5_DATASET) return compound_column(h, frame, name, out);
    GRN_TRY(grn_str_printf(&col, "%s/%s", frame, name));
    GRN_TRY(grn_str_printf(&cats, "%s/__categories/%s", frame, name));
    if (grn_h5_kind_of(h, col.s) == GRN_H5_GROUP) {
        rc = group_column(h, col.s, out);
    } else if (grn_h5_kind_of(h, cats.s) ==
               GRN_H5_DATASET) { /* 0.7: integer codes, categories beside them */
        GRN_TRY(grn_h5_load_i64(h, col.s, &code, &n));
        rc = categorical(h, cats.s, code, n, col.s, out);
    } else {
        rc = grn_h5_load_text(h, col.s, NULL, out);
    }
end:
    grn_str_clear(&col);
    grn_str_clear(&cats);
    free(code);
    return rc;
}

static grn_status frame_index(const grn_h5_t *h, const char *frame, grn_list_t *out)
{
    grn_str_t name = { 0 };
    grn_status rc = frame_index_name(h, frame, &name);
    if (rc == GRN_OK) rc = frame_column(h, frame, name.s, out);
    grn_str_clear(&name);
    return rc;
}

/* ---- matrices ---- */

typedef enum { M_NONE, M_DENSE, M_CSR, M_CSC } storage_t;

typedef struct {
    storage_t how;
    uint64_t n_rows, n_cols;
} shape_t;

static grn_status matrix_shape(const grn_h5_t *h, const char *name, shape_t *s)
{
    grn_status rc = GRN_OK;
    grn_str_t type = { 0 };
    grn_h5_ds_t d = { 0 };
    int64_t dim[2];
    size_t n;
    *s = (shape_t){ 0 };
    grn_h5_kind kind = grn_h5_kind_of(h, name);
    if (kind == GRN_H5_DATASET) {
        GRN_TRY(grn_h5_ds_open(&d, h, name, 2));
        *s = (shape_t){ M_DENSE, d.dim[0], d.dim[1] };
    } else if (kind == GRN_H5_GROUP) {
        int got = grn_h5_attr_str(h, name, "encoding-type", &type);
        if (got == 0) got = grn_h5_attr_str(h, name, "h5sparse_format", &type);
        if (got < 0) goto bad;
        if (got == 1 && strncmp(type.s, "csr", 3) == 0) s->how = M_CSR;
        if (got == 1 && strncmp(type.s, "csc", 3) == 0) s->how = M_CSC;
        if (s->how == M_NONE)
            GRN_FAIL(GRN_EFORMAT,
                     "'%s': '%s' is %s%s; an array, csr_matrix or csc_matrix is expected", h->path,
                     name, got ? "of type " : "a group without a type", got ? type.s : "");
        got = grn_h5_attr_i64(h, name, "shape", dim, 2, &n);
        if (got == 0) got = grn_h5_attr_i64(h, name, "h5sparse_shape", dim, 2, &n);
        if (got < 0) goto bad;
        if (got == 0 || n != 2 || dim[0] < 0 || dim[1] < 0)
            GRN_FAIL(GRN_EFORMAT, "'%s': '%s' has no valid shape", h->path, name);
        s->n_rows = (uint64_t)dim[0];
        s->n_cols = (uint64_t)dim[1];
    }
    goto end;
bad:
    rc = GRN_EFORMAT;
end:
    grn_str_clear(&type);
    grn_h5_ds_close(&d);
    return rc;
}

static grn_status load_matrix(const grn_h5_t *h, const char *name, const shape_t *s, grn_raw_t *raw)
{
    if (s->how == M_DENSE) return grn_h5_load_dense(h, name, raw);
    if (s->how == M_CSR) return grn_h5_load_compressed(h, name, s->n_rows, s->n_cols, raw);
    grn_status rc = grn_h5_load_compressed(h, name, s->n_cols, s->n_rows, raw);
    return rc == GRN_OK ? grn_raw_transpose(raw) : rc;
}

/* A look at the first block of values. */
static grn_status probe(const grn_h5_t *h, const char *name, const shape_t *s, grn_raw_t *seen)
{
    grn_status rc = GRN_OK;
    grn_h5_ds_t d = { 0 };
    grn_str_t path = { 0 };
    double *v = NULL;
    GRN_TRY(grn_str_printf(&path, "%s%s", name, s->how == M_DENSE ? "" : "/data"));
    GRN_TRY(grn_h5_ds_open(&d, h, path.s, s->how == M_DENSE ? 2 : 1));
    uint64_t rows = 65536 / (d.dim[1] ? d.dim[1] : 1) + 1;
    if (rows > d.dim[0]) rows = d.dim[0];
    GRN_TRY(GRN_NEW_RAW(v, rows * d.dim[1]));
    GRN_TRY(grn_h5_read_f64(&d, 0, rows, v));
    for (uint64_t k = 0; k < rows * d.dim[1]; k++) (void)grn_raw_value(seen, v[k], k);
end:
    free(v);
    grn_str_clear(&path);
    grn_h5_ds_close(&d);
    return rc;
}

/* ---- which matrix ---- */

typedef struct {
    char name[256];
    shape_t shape;
    int negative; /* found so far */
} candidate_t;

static grn_status add_candidate(const grn_h5_t *h, const char *name, candidate_t *c, size_t *n)
{
    if (grn_h5_kind_of(h, name) == GRN_H5_NONE) return GRN_OK;
    snprintf(c[*n].name, sizeof c[*n].name, "%s", name);
    c[*n].negative = 0;
    return matrix_shape(h, name, &c[(*n)++].shape);
}

/* "obsm/NAME": an embedding of the cells. */
static int is_embedding(const char *layer)
{
    return strncmp(layer, "obsm/", 5) == 0;
}

/* "X", "raw", "raw/X", "NAME" of layers, "layers/NAME", "obsm/NAME". */
static grn_status named_layer(const grn_h5_t *h, const char *layer, candidate_t *c, size_t *n)
{
    grn_status rc = GRN_OK;
    grn_list_t have = { 0 };
    char path[256], show[256];
    int raw = strcmp(layer, "raw") == 0 || strcmp(layer, "raw/X") == 0;
    if (strcmp(layer, "X") == 0) GRN_TRY(add_candidate(h, "X", c, n));
    if (raw) GRN_TRY(add_candidate(h, "raw/X", c, n));
    if (raw && *n == 0) GRN_TRY(add_candidate(h, "raw.X", c, n));
    const char *group = is_embedding(layer) ? "obsm" : "layers";
    snprintf(path, sizeof path, "%s%s", strncmp(layer, "layers/", 7) == 0 || is_embedding(layer) ? "" : "layers/", layer);
    if (*n == 0) GRN_TRY(add_candidate(h, path, c, n));
    if (*n == 0) {
        if (grn_h5_kind_of(h, group) == GRN_H5_GROUP) GRN_TRY(grn_h5_members(h, group, &have));
        GRN_FAIL(GRN_EINVAL, "'%s' has no layer '%s'; %s: %s", h->path, layer, group,
                 have.n ? grn_list_show(&have, 10, show, sizeof show) : "none");
    }
end:
    grn_list_clear(&have);
    return rc;
}

static grn_status all_candidates(const grn_h5_t *h, candidate_t *c, size_t *n)
{
    grn_status rc = GRN_OK;
    grn_list_t layers = { 0 };
    char path[256], show[256];
    GRN_TRY(add_candidate(h, "X", c, n));
    GRN_TRY(add_candidate(h, "raw/X", c, n));
    GRN_TRY(add_candidate(h, "raw.X", c, n));
    if (grn_h5_kind_of(h, "layers") == GRN_H5_GROUP) GRN_TRY(grn_h5_members(h, "layers", &layers));
    size_t k = grn_usual_column(&layers, GRN_USUAL_COUNTS_LAYER);
    if (k != GRN_NO_COLUMN) {
        snprintf(path, sizeof path, "layers/%s", grn_list_get(&layers, k));
        GRN_TRY(add_candidate(h, path, c, n));
    }
    if (*n == 0)
        GRN_FAIL(GRN_EFORMAT,
                 "'%s' holds no matrix: no X, no raw/X, no layer of counts (layers: %s)", h->path,
                 layers.n ? grn_list_show(&layers, 10, show, sizeof show) : "none");
end:
    grn_list_clear(&layers);
    return rc;
}

/* Loads the first candidate that is counts; else X, or raw/X when X has negative values and raw/X
 * has not (and says so). */
static grn_status load_counts(const grn_h5_t *h, candidate_t *c, size_t n, grn_raw_t *raw,
                              candidate_t *chosen)
{
    grn_status rc = GRN_OK;
    for (size_t i = 0; i < n; i++) {
        grn_raw_t seen = { 0 };
        GRN_TRY(probe(h, c[i].name, &c[i].shape, &seen));
        c[i].negative = seen.negative.n > 0;
        if (!grn_raw_is_counts(&seen)) continue;
        GRN_TRY(load_matrix(h, c[i].name, &c[i].shape, raw));
        *chosen = c[i];
        if (grn_raw_is_counts(raw)) {
            if (i) grn_log_info("'%s': X is no counts; reading %s, which is", h->path, c[i].name);
            return GRN_OK;
        }
        c[i].negative = raw->negative.n > 0;
        grn_raw_clear(raw);
    }
    size_t k = 0;
    for (size_t i = 1; i < n && c[k].negative; i++)
        if (!c[i].negative) k = i;
    *chosen = c[k];
    if (n > 1)
        grn_log_info("'%s': no matrix in it is counts; reading %s%s", h->path, c[k].name,
                     k ? ", which has no negative values as X has" : "");
    rc = load_matrix(h, c[k].name, &c[k].shape, raw);
end:
    return rc;
}

/* ---- names and labels ---- */

/* Feature names: the index, or the column asked for, or symbols when the index is Ensembl ids. */
static grn_status load_features(const grn_h5_t *h, const char *var, const grn_counts_opt_t *opt,
                                grn_raw_t *raw)
{
    grn_status rc = GRN_OK;
    grn_list_t columns = { 0 }, index = { 0 };
    size_t symbol, id, type, genome;
    GRN_TRY(frame_index(h, var, &index));
    GRN_TRY(frame_columns(h, var, &columns));
    int by_index = opt->gene_column && (strcmp(opt->gene_column, "index") == 0 ||
                                        strcmp(opt->gene_column, "_index") == 0);
    GRN_TRY(grn_pick_column(h->path, &columns, by_index ? NULL : opt->gene_column, GRN_USUAL_SYMBOL,
                            "gene names", &symbol));
    GRN_TRY(grn_pick_column(h->path, &columns, NULL, GRN_USUAL_ID, "gene ids", &id));
    GRN_TRY(
        grn_pick_column(h->path, &columns, NULL, GRN_USUAL_FEATURE_TYPE, "feature types", &type));
    GRN_TRY(grn_pick_column(h->path, &columns, NULL, GRN_USUAL_GENOME, "genome", &genome));
    if (type != GRN_NO_COLUMN)
        GRN_TRY(frame_column(h, var, grn_list_get(&columns, type), &raw->col_type));
    if (genome != GRN_NO_COLUMN)
        GRN_TRY(frame_column(h, var, grn_list_get(&columns, genome), &raw->col_genome));
    int ids_first = grn_mostly_ensembl(&index);
    if (symbol != GRN_NO_COLUMN && !by_index && (opt->gene_column || ids_first)) {
        GRN_TRY(frame_column(h, var, grn_list_get(&columns, symbol), &raw->col));
        grn_log_info("'%s': gene names from column '%s'%s", h->path, grn_list_get(&columns, symbol),
                     ids_first ? "; the index holds Ensembl ids" : "");
        raw->col_id = index;
        index = (grn_list_t){ 0 };
    } else {
        raw->col = index;
        index = (grn_list_t){ 0 };
        if (id != GRN_NO_COLUMN)
            GRN_TRY(frame_column(h, var, grn_list_get(&columns, id), &raw->col_id));
    }
end:
    grn_list_clear(&columns);
    grn_list_clear(&index);
    return rc;
}

/* An embedding's columns have no names: "1", "2" ... */
static grn_status number_dimensions(grn_raw_t *raw)
{
    grn_status rc = GRN_OK;
    char name[32];
    for (uint64_t j = 0; j < raw->n_cols; j++) {
        int n = snprintf(name, sizeof name, "%llu", (unsigned long long)j + 1);
        GRN_TRY(grn_list_add(&raw->col, name, (size_t)n));
    }
end:
    return rc;
}

static grn_status load_cells(const grn_h5_t *h, const grn_counts_opt_t *opt, grn_raw_t *raw)
{
    grn_status rc = GRN_OK;
    grn_list_t columns = { 0 };
    size_t type, donor;
    GRN_TRY(frame_index(h, "obs", &raw->row));
    GRN_TRY(frame_columns(h, "obs", &columns));
    GRN_TRY(grn_pick_column(h->path, &columns, opt->cells_tsv ? NULL : opt->cell_type,
                            GRN_USUAL_CELL_TYPE, "cell type", &type));
    GRN_TRY(grn_pick_column(h->path, &columns, opt->cells_tsv ? NULL : opt->donor, GRN_USUAL_DONOR,
                            "donor", &donor));
    if (type != GRN_NO_COLUMN) {
        snprintf(raw->cell_type_from, sizeof raw->cell_type_from, "%s",
                 grn_list_get(&columns, type));
        GRN_TRY(frame_column(h, "obs", grn_list_get(&columns, type), &raw->cell_type));
        if (!opt->cell_type && grn_labels_boolean(&raw->cell_type)) grn_list_clear(&raw->cell_type);
    }
    if (donor != GRN_NO_COLUMN) {
        snprintf(raw->donor_from, sizeof raw->donor_from, "%s", grn_list_get(&columns, donor));
        GRN_TRY(frame_column(h, "obs", grn_list_get(&columns, donor), &raw->donor));
    }
    for (size_t k = 0; k < opt->n_also; k++)
        if (grn_list_find(&columns, opt->also[k]) != GRN_NO_COLUMN)
            GRN_TRY(frame_column(h, "obs", opt->also[k], &raw->also[k]));
end:
    grn_list_clear(&columns);
    return rc;
}

/* MuData (.h5mu): one anndata per modality under mod/. Takes the one for the feature type asked
 * for, by default genes. */
static grn_status enter_modality(grn_h5_t *h, const grn_counts_opt_t *opt, char *name, size_t cap)
{
    static const struct {
        const char *type, *mod[7];
    } known[] = { { "Gene Expression",
                    { "rna", "RNA", "gex", "GEX", "gene_expression", "rna_counts" } },
                  { "Peaks", { "atac", "ATAC", "peaks", "chromatin" } },
                  { "Antibody Capture", { "prot", "adt", "ADT", "protein", "cite" } } };
    grn_status rc = GRN_OK;
    grn_list_t mods = { 0 };
    char show[256], group[128];
    const char *want = opt->feature_type ? opt->feature_type : known[0].type;
    size_t k = GRN_NO_COLUMN;
    GRN_TRY(grn_h5_members(h, "mod", &mods));
    if (mods.n == 1 && !opt->feature_type) k = 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        for (size_t j = 0;
             strcmp(known[i].type, want) == 0 && known[i].mod[j] && k == GRN_NO_COLUMN; j++)
            k = grn_list_find(&mods, known[i].mod[j]);
    if (k == GRN_NO_COLUMN)
        GRN_FAIL(GRN_EINVAL,
                 "'%s' (MuData) has no modality for '%s'; it has: %s (choose with --feature-type)",
                 h->path, want, grn_list_show(&mods, 10, show, sizeof show));
    snprintf(name, cap, "%s", grn_list_get(&mods, k));
    snprintf(group, sizeof group, "mod/%.100s", name);
    rc = grn_h5_enter(h, group);
    if (rc == GRN_OK && mods.n > 1)
        grn_log_info("'%s': modality '%s' of: %s", h->path, name,
                     grn_list_show(&mods, 10, show, sizeof show));
end:
    grn_list_clear(&mods);
    return rc;
}

grn_status grn_h5ad_read(const char *path, const grn_counts_opt_t *opt, grn_raw_t *raw)
{
    grn_status rc = GRN_OK;
    grn_h5_t h = { .file = -1 };
    candidate_t c[4] = { 0 }, chosen;
    size_t n = 0;
    char modality[64] = "";
    GRN_TRY(grn_h5_open(&h, path));
    if (grn_h5_kind_of(&h, "mod") == GRN_H5_GROUP)
        GRN_TRY(enter_modality(&h, opt, modality, sizeof modality));
    if (grn_h5_kind_of(&h, "obs") == GRN_H5_NONE || grn_h5_kind_of(&h, "var") == GRN_H5_NONE)
        GRN_FAIL(GRN_EFORMAT, "'%s' looks like an h5ad file but has no obs or no var", path);
    if (opt->layer) {
        GRN_TRY(named_layer(&h, opt->layer, c, &n));
        chosen = c[0];
        GRN_TRY(load_matrix(&h, chosen.name, &chosen.shape, raw));
    } else {
        GRN_TRY(all_candidates(&h, c, &n));
        GRN_TRY(load_counts(&h, c, n, raw, &chosen));
    }
    const char *var = strcmp(chosen.name, "raw/X") == 0   ? "raw/var"
                      : strcmp(chosen.name, "raw.X") == 0 ? "raw.var"
                                                          : "var";
    snprintf(raw->text, sizeof raw->text, "%s%s, %.150s", *modality ? "h5mu, " : "h5ad", modality,
             chosen.name);
    raw->format = raw->text;
    if (is_embedding(chosen.name)) GRN_TRY(number_dimensions(raw));
    else GRN_TRY(load_features(&h, var, opt, raw));
    for (size_t j = 0; *modality && opt->feature_type && raw->col_type.n < raw->col.n;
         j++) /* the modality says the type */
        GRN_TRY(grn_list_add(&raw->col_type, opt->feature_type, strlen(opt->feature_type)));
    GRN_TRY(load_cells(&h, opt, raw));
    if (raw->row.n != raw->n_rows || raw->col.n != raw->n_cols)
        GRN_FAIL(GRN_EFORMAT, "'%s': '%s' is %llu x %llu, but obs has %zu rows and %s %zu", path,
                 chosen.name, (unsigned long long)raw->n_rows, (unsigned long long)raw->n_cols,
                 raw->row.n, var, raw->col.n);
end:
    grn_h5_close(&h);
    return rc;
}
