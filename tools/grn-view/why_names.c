#include <ctype.h>
#include <string.h>

#include "base/mem.h"
#include "grn-view/why.h"

/* Changes of one letter between two names, in any case of letters. */
static size_t distance(const char *a, const char *b, size_t *row)
{
    size_t n = strlen(b), m = strlen(a);
    for (size_t j = 0; j <= n; j++) row[j] = j;
    for (size_t i = 1; i <= m; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t swap = diagonal +
                          (toupper((unsigned char)a[i - 1]) != toupper((unsigned char)b[j - 1])),
                   old = row[j];
            size_t least = row[j - 1] < old ? row[j - 1] + 1 : old + 1;
            row[j] = swap < least ? swap : least;
            diagonal = old;
        }
    }
    return row[n];
}

/* "A, B, C": up to three names at most 2 letters away, nearest first, then in order of bytes; ""
 * when there is none. */
static grn_status near_names(const grn_names_t *d, const char *name, grn_str_t *s)
{
    enum { MAX_LENGTH = 64, MAX_AWAY = 2, MAX_SHOWN = 3 };
    grn_status rc = GRN_OK;
    uint32_t *order = NULL;
    size_t row[MAX_LENGTH + 1], shown = 0;
    if (strlen(name) > MAX_LENGTH) return GRN_OK;
    GRN_TRY(GRN_NEW_RAW(order, d->n));
    GRN_TRY(grn_names_sort(d, order));
    for (size_t away = 0; away <= MAX_AWAY && away < strlen(name); away++)
        for (size_t k = 0; k < d->n && shown < MAX_SHOWN; k++) {
            const char *other = grn_names_get(d, order[k]);
            if (strlen(other) > MAX_LENGTH || distance(name, other, row) != away) continue;
            GRN_TRY(grn_str_printf(s, "%s'%s'", shown++ ? ", " : "; near it: ", other));
        }
end:
    free(order);
    return rc;
}

/* Adds what is a TF in the regulons and links to w->tfs. */
static grn_status collect_tfs(why_t *w)
{
    grn_status rc = GRN_OK;
    const grn_edges_t *v[] = { &w->e, &w->tg };
    uint8_t *is = NULL;
    GRN_TRY(GRN_NEW(is, w->genes.n));
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < v[k]->n; i++) is[v[k]->tf[i]] = 1;
    for (size_t i = 0; i < w->genes.n; i++)
        if (is[i]) GRN_TRY(grn_names_add(&w->tfs, grn_names_get(&w->genes, i), NULL, NULL));
end:
    free(is);
    return rc;
}

/* A gene of the matrix that has no link is known, too. */
static grn_status look_into_rna(why_t *w, const char *gene)
{
    grn_status rc = GRN_OK;
    grn_mr_t *mr = NULL;
    grn_counts_opt_t opt = GRN_COUNTS_OPT_INIT;
    GRN_TRY(grn_counts_cli(&view_opt.counts, &opt));
    GRN_TRY(grn_mr_open(&mr, why_cli.rna, &opt, grn_common.pool));
    if (grn_names_find(&grn_mr_info(mr)->col, gene) != GRN_NAMES_NONE)
        GRN_TRY(grn_names_add(&w->genes, gene, NULL, NULL));
end:
    if (mr) grn_mr_close(mr);
    return rc;
}

grn_status why_names(why_t *w, const char *tf, const char *gene)
{
    grn_status rc = GRN_OK;
    grn_str_t s = { 0 };
    size_t k;
    GRN_TRY(collect_tfs(w));
    GRN_TRY(grn_str_puts(&s, ""));
    if (grn_names_find(&w->tfs, tf) == GRN_NAMES_NONE) {
        GRN_TRY(near_names(&w->tfs, tf, &s));
        GRN_FAIL(GRN_EEMPTY, "'%s' is %s of the files%s", tf,
                 grn_names_find(&w->genes, tf) == GRN_NAMES_NONE ? "a TF of none"
                                                                 : "a gene, but a TF of none",
                 s.s);
    }
    if (gene && why_cli.rna && grn_names_find(&w->genes, gene) == GRN_NAMES_NONE)
        GRN_TRY(look_into_rna(w, gene));
    if (gene && grn_names_find(&w->genes, gene) == GRN_NAMES_NONE) {
        GRN_TRY(near_names(&w->genes, gene, &s));
        GRN_FAIL(GRN_EEMPTY, "gene '%s' is in none of the files%s", gene, s.s);
    }
    GRN_TRY(grn_names_add(&w->genes, tf, &k, NULL)); /* a TF may be in the cistromes alone */
    w->tf = (uint32_t)k;
    w->gene = gene ? (uint32_t)grn_names_find(&w->genes, gene) : WHY_NONE;
end:
    grn_str_clear(&s);
    return rc;
}
