/* Counts as text: csv, tsv, semicolons or blanks; cells or genes as rows; R's header without a
 * corner; a commented header; UMI-tools' long form (gene, cell, count). One pass, rows as they
 * come. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/names.h"
#include "base/str.h"
#include "io/readers.h"

typedef struct {
    char sep;
    size_t n_cols;   /* value columns */
    grn_list_t name; /* of the value columns */
    char corner[64]; /* header of the row names */
    int held;        /* 1: the first data line is in `first` */
    grn_str_t first;
    uint64_t first_line;
} header_t;

/* Next field of a line: *p moves behind its separator; quotes taken off ("" inside stands for one).
 * NULL at the end. */
static char *next_field(char **p, char sep)
{
    char *s = *p, *w;
    if (!s) return NULL;
    if (sep == ' ') s += strspn(s, " ");
    if (*s != '"') {
        char *e = strchr(s, sep);
        if (e) *e = 0;
        *p = e ? e + 1 : NULL;
        return s;
    }
    char *start = ++s;
    for (w = s; *s; s++) {
        if (*s == '"' && s[1] == '"') s++;
        else if (*s == '"') break;
        *w++ = *s;
    }
    char *e = *s ? strchr(s + 1, sep) : NULL;
    *w = 0;
    *p = e ? e + 1 : NULL;
    return start;
}

static int is_number(const char *s)
{
    double v;
    s += strspn(s, " ");
    if (!grn_scan_f64(&s, &v)) return 0;
    return s[strspn(s, " ")] == 0;
}

static grn_status split_fields(const char *line, char sep, grn_list_t *out)
{
    grn_status rc = GRN_OK;
    grn_str_t copy = { 0 };
    GRN_TRY(grn_str_puts(&copy, line));
    char *p = copy.s;
    for (char *f; (f = next_field(&p, sep)) != NULL;) GRN_TRY(grn_list_add(out, f, strlen(f)));
end:
    grn_str_clear(&copy);
    return rc;
}

/* Takes the names of the value columns from the fields of a header line, given how many fields data
 * lines have. */
static grn_status adopt_header(grn_text_t *t, const grn_list_t *head, size_t n_data, header_t *h)
{
    grn_status rc = GRN_OK;
    size_t skip = head->n == n_data ? 1 : 0; /* R leaves the corner out */
    if (head->n != n_data && head->n + 1 != n_data)
        return grn_text_fail(t, GRN_EFORMAT, "%zu fields, %zu in the header", n_data, head->n);
    h->n_cols = n_data - 1;
    if (skip) snprintf(h->corner, sizeof h->corner, "%s", grn_list_get(head, 0));
    for (size_t i = skip; i < head->n && rc == GRN_OK; i++)
        rc = grn_list_add(&h->name, grn_list_get(head, i), strlen(grn_list_get(head, i)));
    return rc;
}

/* Reads the header and the first data line. A header behind '#' is used when no other is there. */
static grn_status read_header(grn_text_t *t, header_t *h)
{
    grn_status rc = GRN_OK;
    grn_str_t head = { 0 }, comment = { 0 };
    grn_list_t hf = { 0 }, df = { 0 };
    char *line;
    int got, numbers = 1;
    while ((got = grn_text_next(t, &line, NULL)) == 1 && (*line == '#' || *line == 0)) {
        if (*line != '#') continue;
        comment.n = 0;
        GRN_TRY(grn_str_puts(&comment, line + 1 + strspn(line + 1, "# \t")));
    }
    if (got < 0) GRN_TRY((grn_status)got);
    if (got == 0)
        GRN_FAIL(GRN_EFORMAT, "'%s' is empty; a table of counts is expected", grn_text_path(t));
    h->sep = grn_separator(line);
    if (!strchr(line, h->sep))
        GRN_TRY(grn_text_fail(t, GRN_EFORMAT,
                              "one column only; a table of counts with names is expected"));
    GRN_TRY(grn_str_puts(&head, line));
    GRN_TRY(split_fields(line, h->sep, &hf));
    for (size_t i = 1; i < hf.n; i++) numbers &= is_number(grn_list_get(&hf, i));
    int named = hf.n > 1 && *grn_list_get(&hf, 0) &&
                !is_number(grn_list_get(&hf, 0)); /* ",0,1,2" is a header of numbers */
    if (numbers && named && comment.n) {          /* no header but the comment */
        GRN_TRY(split_fields(comment.s, strchr(comment.s, h->sep) ? h->sep : ' ', &df));
        GRN_TRY(adopt_header(t, &df, hf.n, h));
        h->first_line = grn_text_line(t);
        rc = grn_str_puts(&h->first, head.s);
        h->held = 1;
        goto end;
    }
    if (numbers && named)
        GRN_TRY(grn_text_fail(t, GRN_EFORMAT, "numbers where a header with names is expected"));
    while ((got = grn_text_next(t, &line, NULL)) == 1 && *line == 0) continue;
    if (got < 0) GRN_TRY((grn_status)got);
    if (got == 0) GRN_FAIL(GRN_EFORMAT, "'%s' has a header and no data", grn_text_path(t));
    GRN_TRY(split_fields(line, h->sep, &df));
    GRN_TRY(adopt_header(t, &hf, df.n, h));
    h->first_line = grn_text_line(t);
    rc = grn_str_puts(&h->first, line);
    h->held = 1;
end:
    grn_str_clear(&head);
    grn_str_clear(&comment);
    grn_list_clear(&hf);
    grn_list_clear(&df);
    return rc;
}

typedef struct {
    uint32_t *idx;
    float *val;
    uint64_t *start;
    size_t nnz, n_rows, cap_idx, cap_val, cap_start;
    grn_list_t name;
} rows_t;

static void rows_clear(rows_t *r)
{
    free(r->idx);
    free(r->val);
    free(r->start);
    grn_list_clear(&r->name);
}

static grn_status read_row(grn_text_t *t, uint64_t at, const header_t *h, char *line, rows_t *r,
                           grn_raw_t *raw)
{
    grn_status rc = GRN_OK;
    char *p = line, *f = next_field(&p, h->sep);
    GRN_TRY(grn_list_add(&r->name, f ? f : "", f ? strlen(f) : 0));
    GRN_TRY(GRN_GROW(r->idx, r->cap_idx, r->nnz + h->n_cols));
    GRN_TRY(GRN_GROW(r->val, r->cap_val, r->nnz + h->n_cols));
    size_t j = 0;
    for (; (f = next_field(&p, h->sep)) != NULL; j++) {
        double v;
        const char *s = f + strspn(f, " ");
        if (h->sep == ' ' && *f == 0 && !p) break; /* blanks at the end */
        if (j >= h->n_cols) break;
        if (!grn_scan_f64(&s, &v) || s[strspn(s, " ")])
            GRN_FAIL(GRN_EFORMAT, "'%s' line %llu: '%.40s' in column '%.60s' is no number",
                     grn_text_path(t), (unsigned long long)at, f, grn_list_get(&h->name, j));
        if (v == 0) continue;
        r->idx[r->nnz] = (uint32_t)j;
        r->val[r->nnz++] = grn_raw_value(raw, v, at);
    }
    if (j != h->n_cols || f != NULL)
        if (!(h->sep == ' ' && j == h->n_cols))
            GRN_FAIL(GRN_EFORMAT, "'%s' line %llu: %s than the %zu fields expected",
                     grn_text_path(t), (unsigned long long)at, j < h->n_cols ? "fewer" : "more",
                     h->n_cols + 1);
    GRN_TRY(GRN_GROW(r->start, r->cap_start, r->n_rows + 2));
    if (r->n_rows == 0) r->start[0] = 0;
    r->start[++r->n_rows] = r->nnz;
end:
    return rc;
}

static grn_status read_rows(grn_text_t *t, header_t *h, rows_t *r, grn_raw_t *raw)
{
    char *line;
    int got;
    grn_status rc = read_row(t, h->first_line, h, h->first.s, r, raw);
    if (rc != GRN_OK) return rc;
    while ((got = grn_text_next(t, &line, NULL)) == 1) {
        if (*line == 0) continue;
        rc = read_row(t, grn_text_line(t), h, line, r, raw);
        if (rc != GRN_OK) return rc;
    }
    return got < 0 ? (grn_status)got : GRN_OK;
}

/* ---- which way round ---- */

static int is_barcode(const char *s)
{
    size_t best = 0, n = 0; /* a run of 10 or more bases */
    for (; *s; s++) {
        n = strchr("ACGTN", *s) ? n + 1 : 0;
        if (n > best) best = n;
    }
    return best >= 10;
}

/* "TP53", "Nkx2-1", "HLA-DRA", "RP11-206L10.2", "1700001G17Rik": letters first (or Riken), digits
 * or capitals, no '_', short. */
static int is_symbol(const char *s)
{
    size_t n = strlen(s), upper = 0, digit = 0;
    if (grn_is_ensembl(s)) return 1;
    if (n < 2 || n > 16 || strpbrk(s, "_ :/|") || is_barcode(s)) return 0;
    if (!isupper((unsigned char)s[0])) return n > 4 && strcmp(s + n - 3, "Rik") == 0;
    for (const char *c = s; *c; c++)
        upper += isupper((unsigned char)*c) != 0, digit += isdigit((unsigned char)*c) != 0;
    return digit < n / 2 + 1 && (upper == n - digit || upper >= 1);
}

/* Share of names that look like genes minus the share that look like barcodes, from up to 2,000
 * names spread over the list. */
static double gene_score(const grn_list_t *l)
{
    size_t step = l->n / 2000 + 1, n = 0;
    double s = 0;
    for (size_t i = 0; i < l->n; i += step, n++)
        s += is_symbol(grn_list_get(l, i)) - is_barcode(grn_list_get(l, i));
    return n ? s / (double)n : 0;
}

static int corner_is(const char *corner, const char *const *words)
{
    char low[64];
    size_t n = 0;
    for (; corner[n]; n++) low[n] = (char)tolower((unsigned char)corner[n]);
    low[n] = 0;
    for (; *words; words++)
        if (strcmp(low, *words) == 0) return 1;
    return 0;
}

/* 1: rows are genes, 0: rows are cells, -1: cannot tell. */
static int rows_are_genes(const header_t *h, const rows_t *r)
{
    static const char *const genes[] = { "gene",        "genes",      "geneid",   "gene_id",
                                         "gene_name",   "gene_names", "symbol",   "genesymbol",
                                         "gene_symbol", "feature",    "features", "ensembl",
                                         "ensembl_id",  NULL };
    static const char *const cells[] = { "cell",     "cells",        "cellid", "cell_id", "barcode",
                                         "barcodes", "cell_barcode", "index",  NULL };
    if (corner_is(h->corner, genes)) return 1;
    if (corner_is(h->corner, cells)) return 0;
    double d = gene_score(&r->name) - gene_score(&h->name);
    return d > 0.3 ? 1 : d < -0.3 ? 0 : -1;
}

static grn_status orientation(const char *path, const grn_counts_opt_t *opt, const header_t *h,
                              const rows_t *r, int *genes)
{
    *genes = opt->orient == GRN_ORIENT_GENES_ROWS   ? 1
             : opt->orient == GRN_ORIENT_CELLS_ROWS ? 0
                                                    : rows_are_genes(h, r);
    if (*genes < 0)
        return grn_err(GRN_EINVAL,
                       "'%s': cannot tell whether rows are cells or genes (first row '%s', first "
                       "column '%s'): give --orient cells or "
                       "--orient genes",
                       path, grn_list_get(&r->name, 0), grn_list_get(&h->name, 0));
    return GRN_OK;
}

/* ---- the long form ---- */

static int is_long(const header_t *h)
{
    return h->n_cols == 2 && strcasecmp(h->corner, "gene") == 0 &&
           strcasecmp(grn_list_get(&h->name, 0), "cell") == 0 &&
           strcasecmp(grn_list_get(&h->name, 1), "count") == 0;
}

typedef struct {
    uint32_t *cell, *gene;
    float *v;
    size_t n, cap_cell, cap_gene, cap_v;
    grn_names_t cells, genes;
} long_t;

static grn_status long_row(grn_text_t *t, uint64_t at, char sep, char *line, long_t *l,
                           grn_raw_t *raw)
{
    grn_status rc = GRN_OK;
    char *p = line, *gene = next_field(&p, sep), *cell = next_field(&p, sep),
         *count = next_field(&p, sep);
    const char *s = count;
    double v;
    size_t g, c;
    if (!gene || !cell || !count || p || !grn_scan_f64(&s, &v) || *s)
        GRN_FAIL(GRN_EFORMAT, "'%s' line %llu: gene, cell and count are expected", grn_text_path(t),
                 (unsigned long long)at);
    GRN_TRY(grn_names_add(&l->genes, gene, &g, NULL));
    GRN_TRY(grn_names_add(&l->cells, cell, &c, NULL));
    GRN_TRY(GRN_GROW(l->cell, l->cap_cell, l->n + 1));
    GRN_TRY(GRN_GROW(l->gene, l->cap_gene, l->n + 1));
    GRN_TRY(GRN_GROW(l->v, l->cap_v, l->n + 1));
    l->cell[l->n] = (uint32_t)c;
    l->gene[l->n] = (uint32_t)g;
    l->v[l->n++] = grn_raw_value(raw, v, at);
end:
    return rc;
}

static grn_status take_names(const grn_names_t *d, grn_list_t *out)
{
    grn_status rc = GRN_OK;
    for (size_t i = 0; i < d->n && rc == GRN_OK; i++)
        rc = grn_list_add(out, grn_names_get(d, i), strlen(grn_names_get(d, i)));
    return rc;
}

static grn_status read_long(grn_text_t *t, header_t *h, grn_raw_t *raw)
{
    grn_status rc = GRN_OK;
    long_t l = { 0 };
    char *line;
    int got;
    GRN_TRY(long_row(t, h->first_line, h->sep, h->first.s, &l, raw));
    while ((got = grn_text_next(t, &line, NULL)) == 1)
        if (*line) GRN_TRY(long_row(t, grn_text_line(t), h->sep, line, &l, raw));
    if (got < 0) GRN_TRY((grn_status)got);
    GRN_TRY(
        grn_raw_alloc(raw, l.genes.n, l.cells.n, l.n)); /* by gene, then transposed: cells sorted */
    for (size_t k = 0; k < l.n; k++) raw->indptr[l.gene[k] + 1]++;
    grn_raw_prefix(raw->indptr, l.genes.n);
    for (size_t k = l.n; k-- > 0;) {
        uint64_t at = --raw->indptr[l.gene[k] + 1];
        raw->indices[at] = l.cell[k];
        raw->data[at] = l.v[k];
    }
    for (uint64_t g = 0; g < l.genes.n; g++) raw->indptr[g] = raw->indptr[g + 1];
    raw->indptr[l.genes.n] = l.n;
    GRN_TRY(grn_raw_transpose(raw));
    GRN_TRY(take_names(&l.cells, &raw->row));
    GRN_TRY(take_names(&l.genes, &raw->col));
    raw->format = "text, long form";
end:
    free(l.cell);
    free(l.gene);
    free(l.v);
    grn_names_clear(&l.cells);
    grn_names_clear(&l.genes);
    return rc;
}

grn_status grn_table_read(const char *path, const grn_counts_opt_t *opt, grn_raw_t *raw)
{
    grn_status rc = GRN_OK;
    grn_text_t *t = NULL;
    header_t h = { 0 };
    rows_t r = { 0 };
    int genes;
    if (opt->layer)
        GRN_FAIL(GRN_EINVAL, "'%s' is a text table, which has no layers (--layer %s)", path,
                 opt->layer);
    GRN_TRY(grn_text_open(&t, path));
    GRN_TRY(read_header(t, &h));
    snprintf(raw->where_word, sizeof raw->where_word, "line");
    if (is_long(&h)) {
        rc = read_long(t, &h, raw);
        goto end;
    }
    GRN_TRY(read_rows(t, &h, &r, raw));
    GRN_TRY(orientation(path, opt, &h, &r, &genes));
    snprintf(raw->text, sizeof raw->text, "%s, %s as rows",
             h.sep == ','    ? "csv"
             : h.sep == '\t' ? "tsv"
                             : "text",
             genes ? "genes" : "cells");
    raw->format = raw->text;
    raw->indptr = r.start;
    raw->indices = r.idx;
    raw->data = r.val;
    raw->n_rows = r.n_rows;
    raw->n_cols = h.n_cols;
    r.start = NULL;
    r.idx = NULL;
    r.val = NULL;
    raw->row = genes ? h.name : r.name;
    raw->col = genes ? r.name : h.name;
    h.name = r.name = (grn_list_t){ 0 };
    if (genes) rc = grn_raw_transpose(raw);
end:
    grn_text_close(t);
    grn_str_clear(&h.first);
    grn_list_clear(&h.name);
    rows_clear(&r);
    return rc;
}
