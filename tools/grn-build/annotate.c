#include "annotate.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/chrom.h"
#include "io/counts.h"
#include "io/tflist.h"

void grn_annotation_clear(grn_annotation_t *a)
{
    grn_names_clear(&a->tfs);
    free(a->listed);
    free(a->expressed);
    free(a->n_motifs);
    free(a->off);
    free(a->v);
    *a = (grn_annotation_t){ 0 };
}

grn_status grn_annotation_kinds(const char *list, int *kinds)
{
    static const char *const word[] = { "direct", "similar", "orthology", "both" };
    grn_status rc = GRN_OK;
    char *copy = strdup(list), *field[8];
    if (!copy) return grn_err(GRN_ENOMEM, "out of memory");
    *kinds = 0;
    for (size_t i = 0, n = grn_split(copy, ',', field, 8); i < n; i++) {
        size_t k = 0;
        while (k < 4 && strcmp(word[k], field[i]) != 0) k++;
        if (k == 4) GRN_FAIL(GRN_EUSAGE, "--annotations '%s': words of direct, similar, orthology, both are expected", list);
        *kinds |= 1 << k;
    }
end:
    free(copy);
    return rc;
}

/* ---- the genes that TFs must be among ---- */

static grn_status load_genes(const grn_annotation_opt_t *o, grn_par_t *pool, grn_names_t *genes)
{
    grn_status rc = GRN_OK;
    grn_mr_t *mr = NULL;
    grn_counts_opt_t copt = GRN_COUNTS_OPT_INIT;
    GRN_TRY(grn_mr_open(&mr, o->matrix, &copt, pool));
    GRN_TRY(grn_names_dup(genes, &grn_mr_info(mr)->col));
end:
    grn_mr_close(mr);
    return rc;
}

static grn_status mark(const grn_names_t *tfs, int asked, const grn_names_t *among, uint8_t **out)
{
    grn_status rc = GRN_NEW_RAW(*out, tfs->n);
    for (size_t k = 0; !rc && k < tfs->n; k++) (*out)[k] = !asked || grn_names_find(among, grn_names_get(tfs, k)) != GRN_NAMES_NONE;
    return rc;
}

/* ---- motif -> TFs ---- */

/* Does the table's TF `name` count for `tf` by the regular expression of pycistarget, "tf" at the end of the text? */
static int ends_like(const char *name, const char *tf)
{
    size_t n = strlen(name), k = strlen(tf);
    if (k > n) return 0;
    for (size_t i = 0; i < k; i++)
        if (tf[i] != '.' && tf[i] != name[n - k + i]) return 0;
    return 1;
}

typedef struct {
    grn_annotation_t *a;
    const grn_annotation_opt_t *o;
    const grn_motif2tf_t *t;
    size_t n; /* of a->v */
} fill_t;

static grn_status push(fill_t *f, uint32_t tf, int kind)
{
    grn_annotation_t *a = f->a;
    grn_status rc = GRN_OK;
    for (size_t i = a->off[a->M]; i < f->n; i++) /* the motif's so far: off[M] holds its begin while filling */
        if (a->v[i].tf == tf) {
            a->v[i].kind |= (uint8_t)kind;
            return GRN_OK;
        }
    a->n_motifs[tf]++;
    if (!a->listed[tf] || !a->expressed[tf]) return GRN_OK;
    GRN_TRY(GRN_GROW(a->v, a->cap, f->n + 1));
    a->v[f->n++] = (grn_motiftf_t){ tf, (uint8_t)kind };
end:
    return rc;
}

static grn_status push_from_table(fill_t *f, const size_t *pair, size_t n, int *annotated)
{
    grn_status rc = GRN_OK;
    const grn_names_t *tfs = &f->a->tfs;
    for (size_t i = 0; i < n; i++) {
        int kind = f->t->kind[pair[i]] & f->o->kinds;
        if (!kind) continue;
        *annotated = 1;
        uint32_t tf = f->t->tf[pair[i]];
        GRN_TRY(push(f, tf, kind));
        for (size_t k = 0; f->o->compat && k < tfs->n; k++)
            if (k != tf && ends_like(grn_names_get(tfs, tf), grn_names_get(tfs, k))) GRN_TRY(push(f, (uint32_t)k, kind));
    }
end:
    return rc;
}

/* The TF of a motif's name among a->tfs. */
static grn_status push_from_name(fill_t *f, const char *motif, int *annotated)
{
    const grn_names_t *tfs = &f->a->tfs;
    const char *cut = strchr(motif, '_');
    size_t k = grn_names_find(tfs, motif);
    if (k == GRN_NAMES_NONE && cut && (k = grn_names_find_n(tfs, motif, (size_t)(cut - motif))) != GRN_NAMES_NONE) f->a->n_by_prefix++;
    if (k == GRN_NAMES_NONE) return GRN_OK;
    *annotated = 1;
    return push(f, (uint32_t)k, GRN_M2T_DIRECT);
}

static int by_tf_name(const void *x, const void *y, void *names)
{
    const grn_motiftf_t *a = x, *b = y;
    return strcmp(grn_names_get(names, a->tf), grn_names_get(names, b->tf));
}

static grn_status fill(fill_t *f, const grn_names_t *motifs)
{
    grn_status rc = GRN_OK;
    grn_annotation_t *a = f->a;
    size_t *first = NULL, *pair = NULL;
    if (f->t) GRN_TRY(grn_motif2tf_by_motif(f->t, &first, &pair));
    for (size_t m = 0; m < a->M; m++) {
        const char *name = grn_names_get(motifs, m);
        int annotated = 0;
        a->off[m] = a->off[a->M] = f->n;
        size_t k = f->t ? grn_names_find(&f->t->motifs, name) : 0;
        if (f->t && k != GRN_NAMES_NONE) GRN_TRY(push_from_table(f, pair + first[k], first[k + 1] - first[k], &annotated));
        if (!f->t) GRN_TRY(push_from_name(f, name, &annotated));
        if (f->n > a->off[m]) qsort_r(a->v + a->off[m], f->n - a->off[m], sizeof *a->v, by_tf_name, &a->tfs);
        a->n_annotated += (size_t)annotated;
        a->n_used += f->n > a->off[m];
    }
    a->off[a->M] = f->n;
end:
    free(pair);
    free(first);
    return rc;
}

static grn_status check(const fill_t *f, const grn_names_t *motifs, const grn_names_t *listed, const grn_names_t *genes)
{
    const grn_annotation_t *a = f->a;
    char x[200], y[200];
    size_t n_listed = 0, n_both = 0;
    for (size_t k = 0; k < a->tfs.n; k++) {
        n_listed += a->listed[k];
        n_both += a->listed[k] && a->expressed[k];
    }
    if (!a->n_annotated && f->t)
        return grn_err(GRN_EEMPTY, "none of the %zu motifs of the database has a TF in '%s'; first names: %s vs %s", a->M,
                       f->o->motif2tf, grn_names_show(motifs, 3, x, sizeof x), grn_names_show(&f->t->motifs, 3, y, sizeof y));
    if (a->has_tfs && !n_listed)
        return grn_err(GRN_EEMPTY, "none of the %zu TFs of motifs is in '%s'; first names: %s vs %s", a->tfs.n, f->o->tfs,
                       grn_names_show(&a->tfs, 3, x, sizeof x), grn_names_show(listed, 3, y, sizeof y));
    if (a->has_matrix && a->tfs.n && !n_both)
        return grn_err(GRN_EEMPTY, "none of the %zu TFs is a gene of '%s'; first names: %s vs %s", a->tfs.n, f->o->matrix,
                       grn_names_show(&a->tfs, 3, x, sizeof x), grn_names_show(genes, 3, y, sizeof y));
    if (!a->n_annotated && a->tfs.n)
        return grn_err(GRN_EEMPTY,
                       "none of the %zu motifs of the database is called as a TF; first names: %s vs %s (give a table with --motif2tf)",
                       a->M, grn_names_show(motifs, 3, x, sizeof x), grn_names_show(&a->tfs, 3, y, sizeof y));
    return GRN_OK;
}

grn_status grn_annotation_load(grn_annotation_t *a, const grn_annotation_opt_t *o, const grn_names_t *motifs, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    grn_motif2tf_t t = { 0 };
    grn_names_t listed = { 0 }, genes = { 0 };
    *a = (grn_annotation_t){
        .M = motifs->n, .has_table = o->motif2tf != NULL, .has_tfs = o->tfs != NULL, .has_matrix = o->matrix != NULL
    };
    fill_t f = { a, o, NULL, 0 };
    if (o->tfs) GRN_TRY(grn_tflist_load(o->tfs, &listed, NULL));
    if (o->matrix) GRN_TRY(load_genes(o, pool, &genes));
    if (o->motif2tf) {
        GRN_TRY(grn_motif2tf_load(o->motif2tf, o->filter, &t));
        f.t = &t;
        GRN_TRY(grn_names_dup(&a->tfs, &t.tfs));
    } else {
        GRN_TRY(grn_names_dup(&a->tfs, o->tfs ? &listed : &genes));
    }
    GRN_TRY(mark(&a->tfs, a->has_tfs, &listed, &a->listed));
    GRN_TRY(mark(&a->tfs, a->has_matrix, &genes, &a->expressed));
    GRN_TRY(GRN_NEW(a->n_motifs, a->tfs.n));
    GRN_TRY(GRN_NEW(a->off, a->M + 1));
    GRN_TRY(fill(&f, motifs));
    GRN_TRY(check(&f, motifs, &listed, &genes));
end:
    grn_names_clear(&genes);
    grn_names_clear(&listed);
    grn_motif2tf_clear(&t);
    if (rc) grn_annotation_clear(a);
    return rc;
}
