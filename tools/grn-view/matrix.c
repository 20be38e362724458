/* Viewing matrices: block by block from any readable file to TSV, MatrixMarket, h5ad or our own
 * form. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/staging.h"
#include "grn-view/view.h"
#include "io/h5ad_write.h"
#include "io/prov.h"

enum { BLOCK = 512 }; /* rows in memory at a time */

/* One output being written; `o` is used by the text forms. */
typedef struct {
    grn_out_t *o;
    grn_mw_t *mw;
    grn_h5ad_w_t *h5;
    grn_staging_t folder; /* of a 10x export */
    const grn_matrix_t *info; /* columns as written, no rows */
    uint64_t n_rows, nnz;     /* totals, for the heads that need them */
    uint64_t at;              /* rows written */
} sink_t;

typedef struct {
    const char *word;
    int needs_totals; /* a first pass counts rows and values */
    grn_status (*begin)(sink_t *s);
    grn_status (*block)(sink_t *s, const grn_matrix_t *b);
    grn_status (*end)(sink_t *s);
} form_t;

/* ---- text ---- */

static grn_status text_open(sink_t *s)
{
    grn_status rc = grn_out_open(&s->o, view_opt.out, 0);
    return rc || !view_opt.pg ? rc : grn_prov_text(s->o);
}

static grn_status text_end(sink_t *s)
{
    grn_status rc = grn_out_commit(s->o);
    s->o = NULL;
    return rc;
}

static grn_status put_number(grn_out_t *o, float x)
{
    char buf[32];
    if (x >= 0 && x < 10 && x == (float)(int)x) { /* most counts */
        buf[0] = (char)('0' + (int)x);
        return grn_out_write(o, buf, 1);
    }
    return grn_out_puts(o, grn_fmt_f32(buf, x));
}

static grn_status wide_begin(sink_t *s)
{
    grn_status rc = text_open(s);
    if (!rc) rc = grn_out_puts(s->o, "cell");
    for (uint64_t j = 0; j < s->info->n_cols && !rc; j++) {
        rc = grn_out_puts(s->o, "\t");
        if (!rc) rc = grn_out_puts(s->o, grn_names_get(&s->info->col, j));
    }
    return rc ? rc : grn_out_puts(s->o, "\n");
}

static grn_status wide_block(sink_t *s, const grn_matrix_t *b)
{
    grn_status rc = GRN_OK;
    for (uint64_t i = 0; i < b->n_rows; i++) {
        uint64_t k = b->is_dense ? 0 : b->indptr[i], end = b->is_dense ? 0 : b->indptr[i + 1];
        GRN_TRY(grn_out_puts(s->o, grn_names_get(&b->row, i)));
        for (uint64_t j = 0; j < b->n_cols; j++) {
            float x = 0;
            if (b->is_dense) x = b->dense[i * b->n_cols + j];
            else if (k < end && b->indices[k] == j) x = b->data[k++];
            GRN_TRY(grn_out_write(s->o, "\t", 1));
            GRN_TRY(put_number(s->o, x));
        }
        GRN_TRY(grn_out_write(s->o, "\n", 1));
    }
end:
    return rc;
}

static grn_status long_begin(sink_t *s)
{
    grn_status rc = text_open(s);
    return rc ? rc : grn_out_puts(s->o, "cell\tfeature\tvalue\n");
}

static grn_status long_row(sink_t *s, const char *cell, uint64_t col, float x)
{
    grn_status rc = GRN_OK;
    GRN_TRY(grn_out_puts(s->o, cell));
    GRN_TRY(grn_out_write(s->o, "\t", 1));
    GRN_TRY(grn_out_puts(s->o, grn_names_get(&s->info->col, col)));
    GRN_TRY(grn_out_write(s->o, "\t", 1));
    GRN_TRY(put_number(s->o, x));
    rc = grn_out_write(s->o, "\n", 1);
end:
    return rc;
}

static grn_status long_block(sink_t *s, const grn_matrix_t *b)
{
    grn_status rc = GRN_OK;
    for (uint64_t i = 0; i < b->n_rows; i++) {
        const char *cell = grn_names_get(&b->row, i);
        if (b->is_dense)
            for (uint64_t j = 0; j < b->n_cols; j++)
                GRN_TRY(long_row(s, cell, j, b->dense[i * b->n_cols + j]));
        else
            for (uint64_t k = b->indptr[i]; k < b->indptr[i + 1]; k++)
                GRN_TRY(long_row(s, cell, b->indices[k], b->data[k]));
    }
end:
    return rc;
}

static grn_status attr_row(grn_out_t *o, const char *name, const grn_attrs_t *as, uint64_t i)
{
    grn_status rc = GRN_OK;
    char buf[32];
    GRN_TRY(grn_out_puts(o, name));
    for (size_t k = 0; k < as->n; k++) {
        const grn_attr_t *a = &as->a[k];
        GRN_TRY(grn_out_puts(o, "\t"));
        if (a->code && a->code[i] >= 0)
            GRN_TRY(grn_out_puts(o, grn_names_get(&a->levels, (size_t)a->code[i])));
        if (a->num && !isnan(a->num[i])) GRN_TRY(grn_out_puts(o, grn_fmt_f64(buf, a->num[i])));
    }
    rc = grn_out_puts(o, "\n");
end:
    return rc;
}

static grn_status attr_head(grn_out_t *o, const char *first, const grn_attrs_t *as)
{
    grn_status rc = grn_out_puts(o, first);
    for (size_t k = 0; k < as->n && !rc; k++) rc = grn_out_printf(o, "\t%s", as->a[k].name);
    return rc ? rc : grn_out_puts(o, "\n");
}

static grn_status cells_begin(sink_t *s)
{
    grn_status rc = text_open(s);
    return rc ? rc : attr_head(s->o, "barcode", &s->info->row_attr);
}

static grn_status cells_block(sink_t *s, const grn_matrix_t *b)
{
    grn_status rc = GRN_OK;
    for (uint64_t i = 0; i < b->n_rows && !rc; i++)
        rc = attr_row(s->o, grn_names_get(&b->row, i), &b->row_attr, i);
    return rc;
}

static grn_status features_begin(sink_t *s)
{
    grn_status rc = text_open(s);
    if (!rc) rc = attr_head(s->o, "feature", &s->info->col_attr);
    for (uint64_t j = 0; j < s->info->n_cols && !rc; j++)
        rc = attr_row(s->o, grn_names_get(&s->info->col, j), &s->info->col_attr, j);
    return rc;
}

static grn_status nothing(sink_t *s, const grn_matrix_t *b)
{
    (void)s;
    (void)b;
    return GRN_OK;
}

/* ---- MatrixMarket: features x cells, as 10x folders are; with -o FOLDER the names lie beside it
 * ---- */

static int is_folder(const char *path)
{
    struct stat st;
    size_t n = strlen(path);
    return (n && path[n - 1] == '/') || (stat(path, &st) == 0 && S_ISDIR(st.st_mode));
}

/* The files of a folder appear together. */
enum { GENES, BARCODES, MATRIX };
static const char *const folder_files[] = { "genes.tsv", "barcodes.tsv", "matrix.mtx" };

static grn_status write_genes(const grn_staging_t *folder, const grn_matrix_t *info)
{
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    const grn_attr_t *id = grn_attr_find(&info->col_attr, "gene_id");
    GRN_TRY(grn_out_open(&o, folder->from[GENES], 0));
    for (uint64_t j = 0; j < info->n_cols; j++) {
        const char *name = grn_names_get(&info->col, j);
        GRN_TRY(grn_out_printf(o, "%s\t%s\n",
                               id && id->code && id->code[j] >= 0
                                   ? grn_names_get(&id->levels, (size_t)id->code[j])
                                   : name,
                               name));
    }
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    return rc;
}

static grn_status mtx_begin(sink_t *s)
{
    grn_status rc = GRN_OK;
    if (is_folder(view_opt.out)) {
        GRN_TRY(grn_staging_open(&s->folder, view_opt.out, folder_files, 3));
        GRN_TRY(write_genes(&s->folder, s->info));
        GRN_TRY(grn_out_open(&s->o, s->folder.from[MATRIX], 0));
    } else {
        GRN_TRY(grn_out_open(&s->o, view_opt.out, 0));
    }
    rc = grn_out_printf(
        s->o,
        "%%%%MatrixMarket matrix coordinate real general\n%%features x cells\n%llu %llu %llu\n",
        (unsigned long long)s->info->n_cols, (unsigned long long)s->n_rows,
        (unsigned long long)s->nnz);
end:
    return rc;
}

static grn_status mtx_block(sink_t *s, const grn_matrix_t *b)
{
    grn_status rc = GRN_OK;
    char buf[32];
    for (uint64_t i = 0; i < b->n_rows; i++) {
        uint64_t from = b->is_dense ? i * b->n_cols : b->indptr[i],
                 to = b->is_dense ? from + b->n_cols : b->indptr[i + 1];
        for (uint64_t k = from; k < to; k++) {
            float x = b->is_dense ? b->dense[k] : b->data[k];
            uint64_t j = b->is_dense ? k - from : b->indices[k];
            if (x != 0)
                GRN_TRY(grn_out_printf(s->o, "%llu %llu %s\n", (unsigned long long)j + 1,
                                       (unsigned long long)(s->at + i) + 1, grn_fmt_f32(buf, x)));
        }
    }
end:
    return rc;
}

/* ---- binary ---- */

static grn_status zst_begin(sink_t *s)
{
    return grn_mw_open(&s->mw, view_opt.out, &s->info->col, &s->info->col_attr, s->info->is_dense,
                       grn_common.pool);
}

static grn_status zst_block(sink_t *s, const grn_matrix_t *b)
{
    return grn_mw_append(s->mw, b);
}

static grn_status zst_end(sink_t *s)
{
    grn_status rc = grn_mw_commit(s->mw);
    s->mw = NULL;
    return rc;
}

static grn_status h5ad_begin(sink_t *s)
{
    return grn_h5ad_w_open(&s->h5, view_opt.out, &s->info->col, &s->info->col_attr);
}

static grn_status h5ad_block(sink_t *s, const grn_matrix_t *b)
{
    return grn_h5ad_w_append(s->h5, b);
}

static grn_status h5ad_end(sink_t *s)
{
    grn_status rc = grn_h5ad_w_commit(s->h5);
    s->h5 = NULL;
    return rc;
}

static const form_t forms[] = {
    { "tsv", 0, wide_begin, wide_block, text_end },
    { "long", 0, long_begin, long_block, text_end },
    { "cells", 0, cells_begin, cells_block, text_end },
    { "features", 0, features_begin, nothing, text_end },
    { "mtx", 1, mtx_begin, mtx_block, text_end },
    { "h5ad", 0, h5ad_begin, h5ad_block, h5ad_end },
    { "zst", 0, zst_begin, zst_block, zst_end },
};

/* ---- the way through ---- */

typedef struct {
    grn_mr_t *r;
    const char *path;
    view_sel_t sel;
    uint8_t *keep;  /* rows */
    uint32_t *cols; /* NULL: all */
    uint64_t n_cols, n_rows;
    grn_matrix_t head; /* columns that pass, no rows */
} source_t;

static void source_close(source_t *s)
{
    grn_mr_close(s->r);
    view_sel_clear(&s->sel);
    free(s->keep);
    free(s->cols);
    grn_matrix_clear(&s->head);
}

/* Empty row attributes of the right kinds: what a file without rows has. */
static grn_status source_open(source_t *s, const char *path, grn_counts_opt_t *copt)
{
    grn_status rc = GRN_OK;
    grn_matrix_t none = { 0 };
    s->path = path;
    GRN_TRY(view_sel_load(&s->sel));
    if (s->sel.n_where > GRN_COUNTS_ALSO_MAX)
        GRN_FAIL(GRN_EUSAGE, "more than %d --where", GRN_COUNTS_ALSO_MAX);
    copt->also = s->sel.where_key;
    copt->n_also = s->sel.n_where;
    GRN_TRY(grn_mr_open(&s->r, path, copt, grn_common.pool));
    const grn_matrix_t *info = grn_mr_info(s->r);
    GRN_TRY(GRN_NEW(s->keep, info->n_rows));
    GRN_TRY(view_mark_rows(&s->sel, info, path, s->keep));
    GRN_TRY(view_pick_cols(&s->sel, info, path, &s->cols, &s->n_cols));
    for (uint64_t i = 0; i < info->n_rows; i++) s->n_rows += s->keep[i];
    if (view_sel_any(&s->sel)) {
        if (s->n_rows == 0 && info->n_rows)
            GRN_FAIL(GRN_EEMPTY, "no cell of '%s' passes all the filters together", path);
        grn_log_info("%llu of %llu rows and %llu of %llu columns kept",
                     (unsigned long long)s->n_rows, (unsigned long long)info->n_rows,
                     (unsigned long long)s->n_cols, (unsigned long long)info->n_cols);
    }
    none.n_cols = info->n_cols;
    none.is_dense = info->is_dense;
    GRN_TRY(grn_names_dup(&none.col, &info->col));
    GRN_TRY(grn_attrs_dup(&none.col_attr, &info->col_attr, info->n_cols));
    GRN_TRY(grn_attrs_dup(&none.row_attr, &info->row_attr, 0));
    GRN_TRY(GRN_NEW(none.indptr, 1));
    if (!s->cols) {
        s->head = none;
        memset(&none, 0, sizeof none);
    } else {
        GRN_TRY(grn_matrix_pick_cols(&none, s->cols, s->n_cols, &s->head));
    }
end:
    grn_matrix_clear(&none);
    return rc;
}

/* The next rows that pass: 1, 0 at the end, < 0 on failure. `at`: rows of the file seen so far. */
static int source_next(source_t *s, uint64_t *at, grn_matrix_t *out)
{
    grn_status rc = GRN_OK;
    grn_matrix_t b = { 0 }, rows = { 0 };
    uint32_t pick[BLOCK];
    int got = 0;
    uint64_t n = 0, last = *at;
    const grn_matrix_t *info = grn_mr_info(s->r);
    grn_matrix_clear(out);
    while (*at < info->n_rows && !s->keep[*at]) (*at)++; /* blocks without any are not read */
    if (*at == info->n_rows) return 0;
    for (uint64_t i = *at; i < info->n_rows && i < *at + BLOCK; i++)
        if (s->keep[i]) last = i; /* nor what lies behind the last */
    GRN_TRY(grn_mr_seek(s->r, *at));
    got = grn_mr_next(s->r, last + 1 - *at, &b);
    if (got < 0) GRN_TRY((grn_status)got);
    if (got == 0) goto end;
    for (uint64_t i = 0; i < b.n_rows; i++)
        if (s->keep[*at + i]) pick[n++] = (uint32_t)i;
    *at += b.n_rows;
    if (n < b.n_rows) {
        GRN_TRY(grn_matrix_pick_rows(&b, pick, n, &rows));
        grn_matrix_clear(&b);
        b = rows;
        memset(&rows, 0, sizeof rows);
    }
    if (s->cols) {
        GRN_TRY(grn_matrix_pick_cols(&b, s->cols, s->n_cols, out));
    } else {
        *out = b;
        memset(&b, 0, sizeof b);
    }
end:
    grn_matrix_clear(&b);
    grn_matrix_clear(&rows);
    return rc ? (int)rc : got;
}

static grn_status count_values(source_t *s, sink_t *k)
{
    grn_matrix_t b = { 0 };
    uint64_t at = 0;
    int got;
    while ((got = source_next(s, &at, &b)) == 1) {
        if (!b.is_dense) k->nnz += b.indptr[b.n_rows];
        for (uint64_t i = 0; b.is_dense && i < b.n_rows * b.n_cols; i++) k->nnz += b.dense[i] != 0;
    }
    grn_matrix_clear(&b);
    return (grn_status)got;
}

static grn_status write_barcodes(const grn_staging_t *folder, const source_t *s)
{
    grn_status rc = GRN_OK;
    grn_out_t *o = NULL;
    const grn_matrix_t *info = grn_mr_info(s->r);
    GRN_TRY(grn_out_open(&o, folder->from[BARCODES], 0));
    for (uint64_t i = 0; i < info->n_rows; i++)
        if (s->keep[i]) GRN_TRY(grn_out_printf(o, "%s\n", grn_names_get(&info->row, i)));
    rc = grn_out_commit(o);
    o = NULL;
end:
    grn_out_abort(o);
    return rc;
}

static grn_status run_form(source_t *s, const form_t *form)
{
    grn_status rc = GRN_OK;
    sink_t k = { 0 };
    grn_matrix_t b = { 0 };
    uint64_t at = 0;
    int got = 0;
    k.info = &s->head;
    k.n_rows = s->n_rows;
    if (form->needs_totals) GRN_TRY(count_values(s, &k));
    GRN_TRY(form->begin(&k));
    if (k.folder.path) GRN_TRY(write_barcodes(&k.folder, s));
    while (form->block != nothing && (got = source_next(s, &at, &b)) == 1) {
        GRN_TRY(form->block(&k, &b));
        k.at += b.n_rows;
    }
    if (got < 0) GRN_TRY((grn_status)got);
    if (k.mw && k.at == 0)
        GRN_TRY(grn_mw_append(k.mw, &s->head)); /* no rows, but their attributes */
    GRN_TRY(form->end(&k));
    if (k.folder.path) rc = grn_staging_commit(&k.folder);
end:
    grn_matrix_clear(&b);
    grn_out_abort(k.o);
    grn_staging_abort(&k.folder);
    grn_mw_abort(k.mw);
    grn_h5ad_w_abort(k.h5);
    return rc;
}

grn_status view_matrix(const char *path, const char *dflt)
{
    grn_status rc = GRN_OK;
    source_t s = { 0 };
    grn_counts_opt_t copt = GRN_COUNTS_OPT_INIT;
    GRN_TRY(grn_counts_cli(&view_opt.counts, &copt));
    GRN_TRY(source_open(&s, path, &copt));
    if (!dflt) dflt = s.head.is_dense ? "tsv" : "long";
    for (size_t k = 0; k < sizeof forms / sizeof *forms; k++)
        if (view_format_is(forms[k].word, dflt)) {
            rc = run_form(&s, &forms[k]);
            goto end;
        }
    rc = grn_err(
        GRN_EUSAGE,
        "a matrix cannot be written as %s; choose tsv, long, cells, features, mtx, h5ad or zst",
        view_opt.format);
end:
    source_close(&s);
    return rc;
}
