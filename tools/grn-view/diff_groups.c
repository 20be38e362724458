#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/rng.h"
#include "grn-view/diff.h"
#include "io/chrom.h"
#include "io/tflist.h"

void diff_groups_clear(diff_groups_t *g)
{
    free(g->side);
    free(g->donor);
    free(g->key);
    grn_names_clear(&g->donors);
    memset(g, 0, sizeof *g);
}

/* ---- the labels ---- */

static int is_rest(const char *value)
{
    return strcmp(value, "rest") == 0;
}

/* Length of the column in COLUMN=VALUE; 0: it is not of that form. */
static size_t column_length(const char *value)
{
    const char *eq = strchr(value, '=');
    return eq && value[0] != '@' ? (size_t)(eq - value) : 0;
}

/* The columns named by --a, --b, --where and --donor. */
static grn_status wanted_columns(const view_sel_t *sel, grn_names_t *d)
{
    grn_status rc = GRN_OK;
    const grn_opt_list_t *list[] = { &diff_cli.a, &diff_cli.b };
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < list[k]->n; i++) {
            const char *v = list[k]->v[i];
            size_t n = column_length(v);
            if (!n && v[0] != '@' && !(k == 1 && is_rest(v)))
                GRN_FAIL(GRN_EUSAGE, "--%c takes COLUMN=VALUE or @FILE%s (got '%s')", "ab"[k], k ? ", or rest" : "", v);
            if (n) GRN_TRY(grn_names_add_n(d, v, n, NULL, NULL));
        }
    for (size_t i = 0; i < sel->n_where; i++) GRN_TRY(grn_names_add(d, sel->where_key[i], NULL, NULL));
    if (diff_cli.donor) GRN_TRY(grn_names_add(d, diff_cli.donor, NULL, NULL));
    if (d->n && !diff_cli.cells) GRN_FAIL(GRN_EUSAGE, "the column '%s' is of a table of the cells: --cells TSV", grn_names_get(d, 0));
    if (d->n > GRN_COUNTS_ALSO_MAX) GRN_FAIL(GRN_EUSAGE, "%zu columns of the table, at most %d", d->n, GRN_COUNTS_ALSO_MAX);
end:
    return rc;
}

/* Names of all cells into m->row, the columns of the table into m->row_attr. */
static grn_status load_labels(percell_t *p, const grn_names_t *columns, grn_matrix_t *m)
{
    grn_status rc = GRN_OK;
    grn_counts_opt_t opt = GRN_COUNTS_OPT_INIT;
    const char *column[GRN_COUNTS_ALSO_MAX], *name;
    m->n_rows = p->a->n_cells;
    for (uint64_t i = 0; i < m->n_rows; i++) {
        int is_new;
        GRN_TRY(grn_ar_name(p->active, i, &name));
        GRN_TRY(grn_names_add(&m->row, name, NULL, &is_new));
        if (!is_new) GRN_FAIL(GRN_EFORMAT, "'%s': duplicate name '%s'", p->active_path, name);
    }
    if (!diff_cli.cells) goto end;
    for (size_t k = 0; k < columns->n; k++) column[k] = grn_names_get(columns, k);
    opt.cells_tsv = diff_cli.cells;
    opt.also = column;
    opt.n_also = columns->n;
    GRN_TRY(grn_counts_label(p->active_path, &opt, m));
    for (size_t k = 0; k < columns->n; k++)
        if (!grn_attr_find(&m->row_attr, column[k])) GRN_FAIL(GRN_EINVAL, "'%s' has no column '%s'", diff_cli.cells, column[k]);
end:
    return rc;
}

/* ---- sides ---- */

static grn_status mark_list(const grn_matrix_t *m, const char *path, const char *active, uint8_t *in)
{
    grn_status rc = GRN_OK;
    grn_names_t d = { 0 };
    size_t found = 0;
    char asked[256];
    GRN_TRY(grn_tflist_load(path, &d, NULL));
    for (size_t i = 0; i < d.n; i++) {
        size_t k = grn_names_find(&m->row, grn_names_get(&d, i));
        if (k != GRN_NAMES_NONE) in[k] = 1, found++;
    }
    if (!found)
        GRN_FAIL(GRN_EEMPTY, "none of the %zu cells of '%s' is in '%s'; asked for %s", d.n, path, active,
                 grn_names_show(&d, 3, asked, sizeof asked));
    if (found < d.n) grn_log_warn("%zu of %zu cells of '%s' are not in '%s'", d.n - found, d.n, path, active);
end:
    grn_names_clear(&d);
    return rc;
}

/* Values: one of the column as it stands, else several joined by commas. */
static grn_status mark_values(const grn_matrix_t *m, const char *spec, uint8_t *in)
{
    grn_status rc = GRN_OK;
    size_t n_column = column_length(spec);
    const char *value = spec + n_column + 1;
    char *column = strndup(spec, n_column), there[512];
    uint8_t *level = NULL;
    if (!column) GRN_FAIL(GRN_ENOMEM, "out of memory");
    const grn_attr_t *a = grn_attr_find(&m->row_attr, column);
    GRN_TRY(GRN_NEW(level, a->levels.n));
    size_t k = grn_names_find(&a->levels, value);
    if (k != GRN_NAMES_NONE) level[k] = 1;
    for (const char *v = value; k == GRN_NAMES_NONE && *v;) {
        size_t n = strcspn(v, ","), one = grn_names_find_n(&a->levels, v, n);
        if (one == GRN_NAMES_NONE)
            GRN_FAIL(GRN_EEMPTY, "no cell has %s '%.*s'; there are %s", column, (int)n, v,
                     grn_names_show(&a->levels, 6, there, sizeof there));
        level[one] = 1;
        v += n + (v[n] == ',');
    }
    for (uint64_t i = 0; i < m->n_rows; i++)
        if (a->code[i] >= 0 && level[a->code[i]]) in[i] = 1;
end:
    free(column);
    free(level);
    return rc;
}

static grn_status mark_side(const grn_matrix_t *m, const grn_opt_list_t *list, const char *active, uint8_t *in)
{
    grn_status rc = GRN_OK;
    for (size_t i = 0; i < list->n && !rc; i++)
        rc = list->v[i][0] == '@' ? mark_list(m, list->v[i] + 1, active, in) : mark_values(m, list->v[i], in);
    return rc;
}

/* All other cells; of those that have a value in the columns of --a. */
static void mark_rest(const grn_matrix_t *m, const uint8_t *a, uint8_t *b)
{
    for (uint64_t i = 0; i < m->n_rows; i++) b[i] = !a[i];
    for (size_t k = 0; k < diff_cli.a.n; k++) {
        const char *spec = diff_cli.a.v[k];
        for (size_t j = 0; j < m->row_attr.n; j++) {
            const grn_attr_t *t = &m->row_attr.a[j];
            if (strlen(t->name) != column_length(spec) || strncmp(t->name, spec, strlen(t->name)) != 0) continue;
            for (uint64_t i = 0; i < m->n_rows; i++) b[i] = b[i] && t->code[i] >= 0;
        }
    }
}

/* keep[cell]: of a context of --context (when given), with the values of --where and with a donor. */
static grn_status mark_kept(percell_t *p, const view_sel_t *sel, const grn_matrix_t *m, uint8_t *keep)
{
    enum { BLOCK = 1 << 16 };
    grn_status rc = GRN_OK;
    const grn_activity_t *a = p->a;
    view_sel_t only = *sel; /* borrowed: --where alone */
    uint16_t *context = NULL;
    uint64_t *bits = NULL;
    only.context.given = only.cell.given = 0;
    only.cell.names = (grn_names_t){ 0 };
    GRN_TRY(view_mark_rows(&only, m, diff_cli.cells ? diff_cli.cells : p->active_path, keep));
    const grn_attr_t *donor = diff_cli.donor ? grn_attr_find(&m->row_attr, diff_cli.donor) : NULL;
    for (uint64_t i = 0; donor && i < m->n_rows; i++) keep[i] = keep[i] && donor->code[i] >= 0;
    if (!sel->context.given) goto end;
    GRN_TRY(GRN_NEW_RAW(context, BLOCK));
    GRN_TRY(GRN_NEW_RAW(bits, BLOCK * a->n_words));
    for (uint64_t at = 0; at < a->n_cells; at += BLOCK) {
        uint64_t n = a->n_cells - at < BLOCK ? a->n_cells - at : BLOCK;
        GRN_TRY(grn_ar_rows(p->active, at, n, bits, context));
        for (uint64_t i = 0; i < n; i++)
            keep[at + i] = keep[at + i] && view_has(&sel->context, grn_names_get(&a->contexts, context[i]));
    }
end:
    free(context);
    free(bits);
    return rc;
}

static grn_status set_sides(diff_groups_t *g, const grn_matrix_t *m, const uint8_t *in[DIFF_SIDES], const uint8_t *keep)
{
    const grn_attr_t *donor = diff_cli.donor ? grn_attr_find(&m->row_attr, diff_cli.donor) : NULL;
    for (uint64_t i = 0; i < m->n_rows; i++) {
        if (in[DIFF_A][i] && in[DIFF_B][i]) return grn_err(GRN_EINVAL, "cell '%s' is in both groups", grn_names_get(&m->row, i));
        g->side[i] = !keep[i] ? DIFF_OUT : in[DIFF_A][i] ? DIFF_A : in[DIFF_B][i] ? DIFF_B : DIFF_OUT;
        g->key[i] = grn_hash_str(grn_names_get(&m->row, i));
        if (donor) g->donor[i] = (uint32_t)donor->code[i];
        if (g->side[i] < DIFF_SIDES) g->n[g->side[i]]++;
    }
    for (int s = 0; s < DIFF_SIDES; s++)
        if (!g->n[s]) return grn_err(GRN_EEMPTY, "no cell of '%s' is in group %s", view_opt.active, s == DIFF_A ? "A" : "B");
    return donor ? grn_names_dup(&g->donors, &donor->levels) : GRN_OK;
}

grn_status diff_groups_load(diff_groups_t *g, percell_t *p)
{
    grn_status rc = GRN_OK;
    view_sel_t sel = { 0 };
    grn_names_t columns = { 0 };
    grn_matrix_t m = { 0 };
    uint8_t *in[DIFF_SIDES] = { NULL, NULL }, *keep = NULL;
    uint64_t n = p->a->n_cells;
    memset(g, 0, sizeof *g);
    if (!diff_cli.a.n) GRN_FAIL(GRN_EUSAGE, "which cells are group A? --a COLUMN=VALUE or @FILE");
    GRN_TRY(view_sel_load(&sel));
    GRN_TRY(wanted_columns(&sel, &columns));
    GRN_TRY(load_labels(p, &columns, &m));
    for (int s = 0; s < DIFF_SIDES; s++) GRN_TRY(GRN_NEW(in[s], n));
    GRN_TRY(GRN_NEW(keep, n));
    GRN_TRY(GRN_NEW_RAW(g->side, n));
    GRN_TRY(GRN_NEW_RAW(g->key, n));
    if (diff_cli.donor) GRN_TRY(GRN_NEW_RAW(g->donor, n));
    GRN_TRY(mark_side(&m, &diff_cli.a, p->active_path, in[DIFF_A]));
    if (diff_cli.b.n == 0 || (diff_cli.b.n == 1 && is_rest(diff_cli.b.v[0]))) mark_rest(&m, in[DIFF_A], in[DIFF_B]);
    else if (is_rest(diff_cli.b.v[0]) || is_rest(diff_cli.b.v[diff_cli.b.n - 1])) GRN_FAIL(GRN_EUSAGE, "--b rest stands alone");
    else GRN_TRY(mark_side(&m, &diff_cli.b, p->active_path, in[DIFF_B]));
    GRN_TRY(mark_kept(p, &sel, &m, keep));
    rc = set_sides(g, &m, (const uint8_t *[]){ in[DIFF_A], in[DIFF_B] }, keep);
end:
    for (int s = 0; s < DIFF_SIDES; s++) free(in[s]);
    free(keep);
    grn_matrix_clear(&m);
    grn_names_clear(&columns);
    view_sel_clear(&sel);
    if (rc) diff_groups_clear(g);
    return rc;
}

/* ---- the null ---- */

typedef struct {
    uint64_t key, cell;
    uint16_t context;
} draw_t;

static int by_draw(const void *a, const void *b)
{
    const draw_t *x = a, *y = b;
    if (x->context != y->context) return x->context < y->context ? -1 : 1;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return (x->cell > y->cell) - (x->cell < y->cell);
}

grn_status diff_groups_shuffle(const diff_groups_t *g, percell_t *p, uint64_t run, uint8_t *side)
{
    enum { BLOCK = 1 << 16 };
    grn_status rc = GRN_OK;
    const grn_activity_t *a = p->a;
    draw_t *draw = NULL;
    uint16_t *context = NULL;
    uint64_t *bits = NULL, *left = NULL, base = grn_rng_key(grn_common.seed, "diff.null", run, 0);
    size_t n_draw = 0;
    GRN_TRY(GRN_NEW_RAW(draw, g->n[DIFF_A] + g->n[DIFF_B]));
    GRN_TRY(GRN_NEW_RAW(context, BLOCK));
    GRN_TRY(GRN_NEW_RAW(bits, BLOCK * a->n_words));
    GRN_TRY(GRN_NEW(left, a->contexts.n)); /* cells of side A to give away */
    for (uint64_t at = 0; at < a->n_cells; at += BLOCK) {
        uint64_t n = a->n_cells - at < BLOCK ? a->n_cells - at : BLOCK;
        GRN_TRY(grn_ar_rows(p->active, at, n, bits, context));
        for (uint64_t i = 0; i < n; i++) {
            side[at + i] = g->side[at + i];
            if (g->side[at + i] == DIFF_OUT) continue;
            draw[n_draw++] = (draw_t){ grn_rng_mix(base ^ g->key[at + i]), at + i, context[i] };
            left[context[i]] += g->side[at + i] == DIFF_A;
        }
    }
    qsort(draw, n_draw, sizeof *draw, by_draw);
    for (size_t k = 0; k < n_draw; k++) {
        uint64_t *c = &left[draw[k].context];
        side[draw[k].cell] = *c ? DIFF_A : DIFF_B;
        *c -= *c > 0;
    }
end:
    free(draw);
    free(context);
    free(bits);
    free(left);
    return rc;
}
