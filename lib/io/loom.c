/* loom (1.0 to 3.0): /matrix is genes x cells, dense, chunked; row_attrs hold genes, col_attrs
 * cells; layers have the same shape (linnarssonlab.org/loompy, "Loom file format specs"). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/h5.h"
#include "io/readers.h"

/* Files before version 3 hold ASCII with XML entities: "&amp;", "&#233;". Decoded in place when it
 * is one of those. */
static grn_status unescape(const char *s, grn_list_t *out)
{
    static const struct {
        const char *name;
        const char *text;
    } known[] = {
        { "&amp;", "&" }, { "&lt;", "<" }, { "&gt;", ">" }, { "&quot;", "\"" }, { "&apos;", "'" }
    };
    grn_status rc = GRN_OK;
    grn_str_t b = { 0 };
    while (*s) {
        size_t n = strcspn(s, "&");
        GRN_TRY(grn_str_add(&b, s, n));
        s += n;
        if (!*s) break;
        size_t k = 0;
        while (k < 5 && strncmp(s, known[k].name, strlen(known[k].name)) != 0) k++;
        unsigned u = 0;
        int used = 0;
        if (k < 5) {
            GRN_TRY(grn_str_puts(&b, known[k].text));
            s += strlen(known[k].name);
        } else if (sscanf(s, "&#%7u;%n", &u, &used) == 1 && used && u > 31 &&
                   u < 0x10000) { /* to UTF-8 */
            char c[4] = { (char)u };
            size_t m = 1;
            if (u >= 0x800)
                c[0] = (char)(0xe0 | u >> 12), c[1] = (char)(0x80 | (u >> 6 & 63)),
                c[2] = (char)(0x80 | (u & 63)), m = 3;
            else if (u >= 0x80) c[0] = (char)(0xc0 | u >> 6), c[1] = (char)(0x80 | (u & 63)), m = 2;
            GRN_TRY(grn_str_add(&b, c, m));
            s += used;
        } else {
            GRN_TRY(grn_str_add(&b, s++, 1));
        }
    }
    rc = grn_list_add(out, b.s ? b.s : "", b.n);
end:
    grn_str_clear(&b);
    return rc;
}

static grn_status load_attr(const grn_h5_t *h, const char *group, const char *name, grn_list_t *out)
{
    grn_status rc = GRN_OK;
    grn_list_t text = { 0 };
    char path[512];
    snprintf(path, sizeof path, "%s/%s", group, name);
    int old = grn_h5_kind_of(h, "attrs/LOOM_SPEC_VERSION") == GRN_H5_NONE;
    GRN_TRY(grn_h5_load_text(h, path, NULL, &text));
    for (size_t i = 0; i < text.n; i++) {
        const char *s = grn_list_get(&text, i);
        GRN_TRY(old && strchr(s, '&') ? unescape(s, out) : grn_list_add(out, s, strlen(s)));
    }
end:
    grn_list_clear(&text);
    return rc;
}

static const char *first_of(const grn_list_t *have, const char *const *want)
{
    for (; *want; want++)
        if (grn_list_find(have, *want) != GRN_NO_COLUMN) return *want;
    return NULL;
}

static grn_status load_genes(const grn_h5_t *h, const grn_counts_opt_t *opt, grn_raw_t *raw)
{
    static const char *const names[] = { "Gene",         "gene_names", "var_names", "GeneName",
                                         "gene_symbols", "Symbol",     "gene",      "genes",
                                         "name",         NULL };
    static const char *const ids[] = { "Accession", "gene_ids", "EnsemblID", "ensembl_id", NULL };
    grn_status rc = GRN_OK;
    grn_list_t have = { 0 };
    char show[512];
    GRN_TRY(grn_h5_members(h, "row_attrs", &have));
    const char *name = opt->gene_column ? opt->gene_column : first_of(&have, names),
               *id = first_of(&have, ids);
    if (!name) name = id;
    grn_list_show(&have, 20, show, sizeof show);
    if (!name)
        GRN_FAIL(GRN_EFORMAT,
                 "'%s': no gene names in row_attrs; it has: %s (choose with --gene-names)", h->path,
                 show);
    if (grn_list_find(&have, name) == GRN_NO_COLUMN)
        GRN_FAIL(GRN_EINVAL, "'%s' has no row attribute '%s'; it has: %s", h->path, name, show);
    GRN_TRY(load_attr(h, "row_attrs", name, &raw->col));
    if (id && strcmp(id, name) != 0) GRN_TRY(load_attr(h, "row_attrs", id, &raw->col_id));
end:
    grn_list_clear(&have);
    return rc;
}

static grn_status load_cells(const grn_h5_t *h, const grn_counts_opt_t *opt, grn_raw_t *raw)
{
    grn_status rc = GRN_OK;
    grn_list_t have = { 0 };
    char show[512];
    size_t cell, type, donor;
    GRN_TRY(grn_h5_members(h, "col_attrs", &have));
    cell = grn_list_find(&have, "CellID");
    if (cell == GRN_NO_COLUMN) cell = grn_usual_column(&have, GRN_USUAL_CELL);
    if (cell == GRN_NO_COLUMN)
        GRN_FAIL(GRN_EFORMAT, "'%s': no cell names in col_attrs; it has: %s", h->path,
                 grn_list_show(&have, 20, show, sizeof show));
    GRN_TRY(load_attr(h, "col_attrs", grn_list_get(&have, cell), &raw->row));
    GRN_TRY(grn_pick_column(h->path, &have, opt->cells_tsv ? NULL : opt->cell_type,
                            GRN_USUAL_CELL_TYPE, "cell type", &type));
    GRN_TRY(grn_pick_column(h->path, &have, opt->cells_tsv ? NULL : opt->donor, GRN_USUAL_DONOR,
                            "donor", &donor));
    if (type != GRN_NO_COLUMN) {
        snprintf(raw->cell_type_from, sizeof raw->cell_type_from, "%s", grn_list_get(&have, type));
        GRN_TRY(load_attr(h, "col_attrs", grn_list_get(&have, type), &raw->cell_type));
        if (!opt->cell_type && grn_labels_boolean(&raw->cell_type)) grn_list_clear(&raw->cell_type);
    }
    if (donor != GRN_NO_COLUMN) {
        snprintf(raw->donor_from, sizeof raw->donor_from, "%s", grn_list_get(&have, donor));
        GRN_TRY(load_attr(h, "col_attrs", grn_list_get(&have, donor), &raw->donor));
    }
    for (size_t k = 0; k < opt->n_also; k++)
        if (grn_list_find(&have, opt->also[k]) != GRN_NO_COLUMN)
            GRN_TRY(load_attr(h, "col_attrs", opt->also[k], &raw->also[k]));
end:
    grn_list_clear(&have);
    return rc;
}

/* /matrix if it is counts, else a layer of counts if there is one, else /matrix (and it is said).
 */
static grn_status load_values(const grn_h5_t *h, const grn_counts_opt_t *opt, grn_raw_t *raw)
{
    grn_status rc = GRN_OK;
    grn_list_t layers = { 0 };
    char path[300] = "matrix", show[256];
    if (grn_h5_kind_of(h, "layers") == GRN_H5_GROUP) GRN_TRY(grn_h5_members(h, "layers", &layers));
    if (opt->layer && strcmp(opt->layer, "matrix") != 0 && strcmp(opt->layer, "X") != 0) {
        snprintf(path, sizeof path, "layers/%s", opt->layer);
        if (grn_list_find(&layers, opt->layer) == GRN_NO_COLUMN)
            GRN_FAIL(GRN_EINVAL, "'%s' has no layer '%s'; layers: %s", h->path, opt->layer,
                     layers.n ? grn_list_show(&layers, 10, show, sizeof show) : "none");
    }
    GRN_TRY(grn_h5_load_dense(h, path, raw));
    size_t k = opt->layer ? GRN_NO_COLUMN : grn_usual_column(&layers, GRN_USUAL_COUNTS_LAYER);
    if (!grn_raw_is_counts(raw) && k != GRN_NO_COLUMN) {
        grn_raw_clear(raw);
        snprintf(path, sizeof path, "layers/%s", grn_list_get(&layers, k));
        grn_log_info("'%s': matrix is no counts; reading %s", h->path, path);
        GRN_TRY(grn_h5_load_dense(h, path, raw));
    }
    snprintf(raw->text, sizeof raw->text, "loom, %.200s", path);
    raw->format = raw->text;
end:
    grn_list_clear(&layers);
    return rc;
}

grn_status grn_loom_read(const char *path, const grn_counts_opt_t *opt, grn_raw_t *raw)
{
    grn_status rc = GRN_OK;
    grn_h5_t h = { .file = -1 };
    GRN_TRY(grn_h5_open(&h, path));
    GRN_TRY(load_values(&h, opt, raw));
    GRN_TRY(grn_raw_transpose(raw));
    GRN_TRY(load_genes(&h, opt, raw));
    GRN_TRY(load_cells(&h, opt, raw));
    if (raw->row.n != raw->n_rows || raw->col.n != raw->n_cols)
        GRN_FAIL(GRN_EFORMAT, "'%s': %llu genes x %llu cells, but %zu gene and %zu cell names",
                 path, (unsigned long long)raw->n_cols, (unsigned long long)raw->n_rows, raw->col.n,
                 raw->row.n);
end:
    grn_h5_close(&h);
    return rc;
}
