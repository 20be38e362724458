#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/labels.h"
#include "io/readers.h"

/* Usual names, squashed, most specific first (docs/inputs.md). */
static const char *const CELL_TYPE[] = { "celltype",
                                         "celltypes",
                                         "celltypename",
                                         "celltypeannotation",
                                         "annotatedcelltype",
                                         "cellontologyclass",
                                         "authorcelltype",
                                         "subclass",
                                         "subclassname",
                                         "subclasslabel",
                                         "annotation",
                                         "annotations",
                                         "cellannotation",
                                         "predictedcelltype",
                                         "majorityvoting",
                                         "predictedlabels",
                                         "seuratannotations",
                                         "freeannotation",
                                         "celllabel",
                                         "celllabels",
                                         "cellclass",
                                         "bulklabels",
                                         "labels",
                                         "label",
                                         "type",
                                         "class",
                                         "clustername",
                                         "clusterlabel",
                                         "cluster",
                                         "clusters",
                                         "louvain",
                                         "leiden",
                                         "seuratclusters",
                                         NULL };
static const char *const DONOR[] = { "donor",      "donorid",      "donorname",
                                     "donors",     "donorlabel",   "externaldonorname",
                                     "individual", "individualid", "subject",
                                     "subjectid",  "patient",      "patientid",
                                     NULL };
static const char *const SYMBOL[] = { "genesymbol",    "genesymbols",  "symbol",    "symbols",
                                      "featurename",   "featurenames", "genename",  "genenames",
                                      "geneshortname", "hgncsymbol",   "mgisymbol", NULL };
static const char *const ID[] = { "geneids",    "geneid",    "ensemblid",
                                  "ensemblids", "ensembl",   "ensemblgeneid",
                                  "featureid",  "accession", NULL };
static const char *const FEATURE_TYPE[] = { "featuretypes", "featuretype", "modality", NULL };
static const char *const GENOME[] = { "genome", NULL };
static const char *const CELL[] = { "barcode",  "barcodes", "cellid",      "cellids",
                                    "cell",     "cells",    "cellbarcode", "cellbarcodes",
                                    "obsnames", "cellname", "index",       NULL };
static const char *const COUNTS_LAYER[] = { "counts", "count", "rawcounts", "rawcount", "raw",
                                            "umi",    "umis",  "umicounts", NULL };
static const char *const *const USUAL[] = { CELL_TYPE,    DONOR,  SYMBOL, ID,
                                            FEATURE_TYPE, GENOME, CELL,   COUNTS_LAYER };

static void squash(const char *s, char *out, size_t cap)
{
    size_t n = 0;
    for (; *s && n + 1 < cap; s++)
        if (isalnum((unsigned char)*s)) out[n++] = (char)tolower((unsigned char)*s);
    out[n] = 0;
}

size_t grn_usual_column(const grn_list_t *columns, grn_usual which)
{
    char name[64];
    for (const char *const *u = USUAL[which]; *u; u++)
        for (size_t i = 0; i < columns->n; i++) {
            squash(grn_list_get(columns, i), name, sizeof name);
            if (strcmp(name, *u) == 0) return i;
        }
    return GRN_NO_COLUMN;
}

grn_status grn_pick_column(const char *path, const grn_list_t *columns, const char *asked,
                           grn_usual which, const char *what, size_t *col)
{
    char show[512];
    *col = asked ? grn_list_find(columns, asked) : grn_usual_column(columns, which);
    if (asked && *col == GRN_NO_COLUMN)
        return grn_err(GRN_EINVAL, "'%s' has no column '%s' for the %s; it has: %s", path, asked,
                       what, grn_list_show(columns, 20, show, sizeof show));
    return GRN_OK;
}

int grn_is_ensembl(const char *s)
{
    if (strncmp(s, "ENS", 3) != 0) return 0;
    s += 3;
    while (isupper((unsigned char)*s)) s++;
    if (s[-1] != 'G') return 0;
    int n = 0;
    while (isdigit((unsigned char)*s)) s++, n++;
    return n == 11 && (*s == 0 || *s == '.');
}

int grn_mostly_ensembl(const grn_list_t *names)
{
    size_t n = 0;
    for (size_t i = 0; i < names->n; i++) n += (size_t)grn_is_ensembl(grn_list_get(names, i));
    return n * 2 > names->n;
}

int grn_is_missing(const char *s)
{
    static const char *const words[] = { "", "NA", "NaN", "nan", "None", "<NA>" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(s, words[i]) == 0) return 1;
    return 0;
}

/* 10x's columns by the names scanpy and Seurat use. */
grn_status grn_tenx_pick_names(const char *path, const grn_counts_opt_t *opt, grn_raw_t *raw)
{
    static const char *const ids[] = { "id", "ids", "gene_id", "gene_ids", "1" };
    static const char *const names[] = { "name",       "names",        "symbol", "gene_name",
                                         "gene_names", "gene_symbols", "2" };
    const char *c = opt->gene_column;
    if (!c) return GRN_OK;
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        if (strcmp(c, names[k]) == 0) return GRN_OK;
    for (size_t k = 0; k < sizeof ids / sizeof *ids; k++)
        if (strcmp(c, ids[k]) == 0 && raw->col_id.n) {
            grn_list_t swap = raw->col;
            raw->col = raw->col_id;
            raw->col_id = swap;
            return GRN_OK;
        }
    return grn_err(GRN_EINVAL, "'%s' has no feature column '%s'; it has: %s", path, c,
                   raw->col_id.n ? "id, name" : "name");
}

int grn_labels_boolean(const grn_list_t *text)
{
    for (size_t i = 0; i < text->n; i++) {
        const char *s = grn_list_get(text, i);
        if (!grn_is_missing(s) && strcmp(s, "True") != 0 && strcmp(s, "False") != 0 &&
            strcmp(s, "TRUE") != 0 && strcmp(s, "FALSE") != 0)
            return 0;
    }
    return 1;
}

char grn_separator(const char *line)
{
    return strchr(line, '\t') ? '\t' : strchr(line, ',') ? ',' : strchr(line, ';') ? ';' : ' ';
}

grn_status grn_labels_code(const grn_list_t *text, int32_t **out, grn_names_t *levels)
{
    grn_status rc = GRN_OK;
    grn_names_t seen = { 0 };
    uint32_t *order = NULL;
    int32_t *code = NULL, *rank = NULL;
    size_t k;
    GRN_TRY(GRN_NEW_RAW(code, text->n));
    for (size_t i = 0; i < text->n; i++) {
        code[i] = -1;
        if (grn_is_missing(grn_list_get(text, i))) continue;
        GRN_TRY(grn_names_add(&seen, grn_list_get(text, i), &k, NULL));
        code[i] = (int32_t)k;
    }
    GRN_TRY(GRN_NEW_RAW(order, seen.n));
    GRN_TRY(GRN_NEW_RAW(rank, seen.n));
    GRN_TRY(grn_names_sort(&seen, order));
    for (k = 0; k < seen.n; k++) {
        rank[order[k]] = (int32_t)k;
        GRN_TRY(grn_names_add(levels, grn_names_get(&seen, order[k]), NULL, NULL));
    }
    for (size_t i = 0; i < text->n; i++)
        if (code[i] >= 0) code[i] = rank[code[i]];
    *out = code;
    code = NULL;
end:
    grn_names_clear(&seen);
    free(order);
    free(rank);
    free(code);
    return rc;
}

/* ---- the labels table ---- */

typedef struct {
    grn_names_t barcode;
    grn_list_t columns;          /* header without the barcode column */
    grn_list_t cell_type, donor; /* per barcode, or empty */
    size_t type_col, donor_col;
    grn_list_t also[GRN_COUNTS_ALSO_MAX];
    size_t also_col[GRN_COUNTS_ALSO_MAX];
} table_t;

static void table_clear(table_t *t)
{
    grn_names_clear(&t->barcode);
    grn_list_clear(&t->columns);
    grn_list_clear(&t->cell_type);
    grn_list_clear(&t->donor);
    for (size_t k = 0; k < GRN_COUNTS_ALSO_MAX; k++) grn_list_clear(&t->also[k]);
}

enum { MAX_FIELDS = 4096 };

/* Takes the quotes off a field, as R's write.csv puts them. */
static char *unquote(char *s)
{
    size_t n = strlen(s);
    if (n >= 2 && s[0] == '"' && s[n - 1] == '"') s[n - 1] = 0, s++;
    return s;
}

static grn_status table_header(grn_text_t *t, const grn_counts_opt_t *opt, table_t *tab, char *sep,
                               size_t *n_fields)
{
    grn_status rc = GRN_OK;
    char *line, *field[MAX_FIELDS];
    int got = grn_text_next(t, &line, NULL);
    if (got < 0) return (grn_status)got;
    if (got == 0)
        return grn_err(GRN_EFORMAT, "'%s' is empty; a header and one line per cell are expected",
                       grn_text_path(t));
    *sep = grn_separator(line);
    *n_fields = grn_split(line, *sep, field, MAX_FIELDS);
    if (*n_fields < 2)
        return grn_text_fail(t, GRN_EFORMAT,
                             "one column only; a barcode and at least one label are expected");
    for (size_t i = 1; i < *n_fields; i++) {
        char *name = unquote(field[i]);
        GRN_TRY(grn_list_add(&tab->columns, name, strlen(name)));
    }
    GRN_TRY(grn_pick_column(grn_text_path(t), &tab->columns, opt->cell_type, GRN_USUAL_CELL_TYPE,
                            "cell type", &tab->type_col));
    GRN_TRY(grn_pick_column(grn_text_path(t), &tab->columns, opt->donor, GRN_USUAL_DONOR, "donor",
                            &tab->donor_col));
    size_t n_also = 0;
    for (size_t k = 0; k < opt->n_also; k++) {
        tab->also_col[k] = grn_list_find(&tab->columns, opt->also[k]);
        n_also += tab->also_col[k] != GRN_NO_COLUMN;
    }
    if (tab->type_col == GRN_NO_COLUMN && tab->donor_col == GRN_NO_COLUMN && n_also == 0) {
        char show[512];
        rc = grn_err(GRN_EINVAL,
                     "'%s' has no column with a usual name of a cell type or donor; it has: %s "
                     "(choose with --cell-type)",
                     grn_text_path(t), grn_list_show(&tab->columns, 20, show, sizeof show));
    }
end:
    return rc;
}

static grn_status table_read(const char *path, const grn_counts_opt_t *opt, table_t *tab)
{
    grn_status rc = GRN_OK;
    grn_text_t *t = NULL;
    char *line, *field[MAX_FIELDS], sep = '\t';
    size_t n_fields = 0;
    int got, is_new;
    GRN_TRY(grn_text_open(&t, path));
    GRN_TRY(table_header(t, opt, tab, &sep, &n_fields));
    while ((got = grn_text_next(t, &line, NULL)) == 1) {
        if (!*line) continue;
        size_t n = grn_split(line, sep, field, MAX_FIELDS);
        if (n != n_fields)
            GRN_TRY(grn_text_fail(t, GRN_EFORMAT, "%zu fields, %zu in the header", n, n_fields));
        char *barcode = unquote(field[0]);
        GRN_TRY(grn_names_add(&tab->barcode, barcode, NULL, &is_new));
        if (!is_new) GRN_TRY(grn_text_fail(t, GRN_EFORMAT, "barcode '%s' is there twice", barcode));
        if (tab->type_col != GRN_NO_COLUMN) {
            char *v = unquote(field[tab->type_col + 1]);
            GRN_TRY(grn_list_add(&tab->cell_type, v, strlen(v)));
        }
        if (tab->donor_col != GRN_NO_COLUMN) {
            char *v = unquote(field[tab->donor_col + 1]);
            GRN_TRY(grn_list_add(&tab->donor, v, strlen(v)));
        }
        for (size_t k = 0; k < opt->n_also; k++) {
            if (tab->also_col[k] == GRN_NO_COLUMN) continue;
            char *v = unquote(field[tab->also_col[k] + 1]);
            GRN_TRY(grn_list_add(&tab->also[k], v, strlen(v)));
        }
    }
    if (got < 0) rc = (grn_status)got;
    else if (tab->barcode.n == 0) rc = grn_err(GRN_EFORMAT, "'%s' has a header and no cells", path);
end:
    grn_text_close(t);
    return rc;
}

/* Length of a barcode without "-1", "-12" ... at its end. */
static size_t bare_length(const char *s)
{
    size_t n = strlen(s), k = n;
    while (k && isdigit((unsigned char)s[k - 1])) k--;
    return k && k < n && s[k - 1] == '-' ? k - 1 : n;
}

/* at[i] = line of the table for cell i, or SIZE_MAX; bare: barcodes without suffix, those that are
 * no longer unique left out. */
static grn_status match(const grn_list_t *cells, const table_t *tab, int bare, size_t *at,
                        size_t *n_found)
{
    grn_status rc = GRN_OK;
    grn_names_t key = { 0 };
    size_t *row = NULL, k;
    int is_new;
    *n_found = 0;
    GRN_TRY(GRN_NEW_RAW(row, tab->barcode.n));
    for (size_t i = 0; i < tab->barcode.n; i++) {
        const char *b = grn_names_get(&tab->barcode, i);
        GRN_TRY(grn_names_add_n(&key, b, bare ? bare_length(b) : strlen(b), &k, &is_new));
        row[k] = is_new ? i : SIZE_MAX;
    }
    for (size_t i = 0; i < cells->n; i++) {
        const char *b = grn_list_get(cells, i);
        k = grn_names_find_n(&key, b, bare ? bare_length(b) : strlen(b));
        at[i] = k == GRN_NAMES_NONE ? SIZE_MAX : row[k];
        *n_found += at[i] != SIZE_MAX;
    }
end:
    free(row);
    grn_names_clear(&key);
    return rc;
}

static grn_status spread(const grn_list_t *from, const size_t *at, size_t n, grn_list_t *to)
{
    grn_status rc = GRN_OK;
    if (from->n == 0) return GRN_OK;
    grn_list_clear(to);
    for (size_t i = 0; i < n && rc == GRN_OK; i++) {
        const char *v = at[i] == SIZE_MAX ? "" : grn_list_get(from, at[i]);
        rc = grn_list_add(to, v, strlen(v));
    }
    return rc;
}

grn_status grn_labels_join(grn_raw_t *raw, const char *counts_path, const grn_counts_opt_t *opt)
{
    grn_status rc = GRN_OK;
    table_t tab = { 0 };
    size_t *at = NULL, found, found_bare = 0;
    char a[32], b[32], c[32];
    GRN_TRY(table_read(opt->cells_tsv, opt, &tab));
    GRN_TRY(GRN_NEW_RAW(at, raw->row.n));
    GRN_TRY(match(&raw->row, &tab, 0, at, &found));
    if (found * 2 < raw->row.n) {
        GRN_TRY(match(&raw->row, &tab, 1, at, &found_bare));
        if (found_bare > found)
            grn_log_info("barcodes of '%s' and '%s' are compared without their \"-1\" suffix (%s "
                         "cells found, %s with it)",
                         counts_path, opt->cells_tsv, grn_fmt_count(a, found_bare),
                         grn_fmt_count(b, found)),
                found = found_bare;
        else GRN_TRY(match(&raw->row, &tab, 0, at, &found));
    }
    if (found == 0 && raw->row.n)
        GRN_FAIL(GRN_EEMPTY, "none of the %s cells of '%s' is in '%s'; first names: '%s' and '%s'",
                 grn_fmt_count(a, raw->row.n), counts_path, opt->cells_tsv,
                 grn_list_get(&raw->row, 0), grn_names_get(&tab.barcode, 0));
    GRN_TRY(spread(&tab.cell_type, at, raw->row.n, &raw->cell_type));
    GRN_TRY(spread(&tab.donor, at, raw->row.n, &raw->donor));
    for (size_t k = 0; k < opt->n_also; k++) GRN_TRY(spread(&tab.also[k], at, raw->row.n, &raw->also[k]));
    if (tab.cell_type.n)
        snprintf(raw->cell_type_from, sizeof raw->cell_type_from, "%s",
                 grn_list_get(&tab.columns, tab.type_col));
    if (tab.donor.n)
        snprintf(raw->donor_from, sizeof raw->donor_from, "%s",
                 grn_list_get(&tab.columns, tab.donor_col));
    if (found < raw->row.n || found < tab.barcode.n)
        grn_log_warn("labels of '%s': %s of %s cells found; %s lines of the table match no cell",
                     opt->cells_tsv, grn_fmt_count(a, found), grn_fmt_count(b, raw->row.n),
                     grn_fmt_count(c, tab.barcode.n - found));
end:
    table_clear(&tab);
    free(at);
    return rc;
}

/* ---- the table alone ---- */

void grn_labels_clear(grn_labels_t *l)
{
    grn_names_clear(&l->cells);
    grn_names_clear(&l->types);
    grn_names_clear(&l->donors);
    free(l->type);
    free(l->donor);
    *l = (grn_labels_t){ 0 };
}

grn_status grn_labels_load(const char *path, const char *cell_type, const char *donor, grn_labels_t *l)
{
    grn_status rc = GRN_OK;
    table_t tab = { 0 };
    grn_counts_opt_t opt = { .cell_type = cell_type, .donor = donor };
    *l = (grn_labels_t){ 0 };
    GRN_TRY(table_read(path, &opt, &tab));
    if (tab.type_col == GRN_NO_COLUMN) {
        char show[512];
        GRN_FAIL(GRN_EFORMAT, "'%s' has no column with a usual name of a cell type; it has: %s", path,
                 grn_list_show(&tab.columns, 20, show, sizeof show));
    }
    GRN_TRY(grn_labels_code(&tab.cell_type, &l->type, &l->types));
    if (tab.donor_col != GRN_NO_COLUMN) GRN_TRY(grn_labels_code(&tab.donor, &l->donor, &l->donors));
    l->cells = tab.barcode;
    tab.barcode = (grn_names_t){ 0 };
end:
    table_clear(&tab);
    if (rc) grn_labels_clear(l);
    return rc;
}
