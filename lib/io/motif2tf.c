#include "io/motif2tf.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "io/table.h"

typedef enum { TWO_COLUMNS, CISTARGET, RCISTARGET, GIMME } form_t;

typedef struct {
    grn_table_t b;
    const grn_motif2tf_opt_t *opt;
    grn_motif2tf_t *out;
    grn_names_t pairs; /* "motif TAB tf" -> pair */
    grn_str_t key;
    size_t cap;
    form_t form;
    int motif, tf, q, identity, text, direct, ortho, similar, curated; /* columns; -1 none */
} load_t;

void grn_motif2tf_clear(grn_motif2tf_t *t)
{
    free(t->motif);
    free(t->tf);
    free(t->kind);
    grn_names_clear(&t->motifs);
    grn_names_clear(&t->tfs);
    memset(t, 0, sizeof *t);
}

/* Reads the first row. *is_header: it named columns. Without header the table has two columns. */
static grn_status choose_form(load_t *l, int *is_header)
{
    const grn_table_t *b = &l->b;
    l->motif = grn_table_column(b, "motif_id|motif|motifs|motif_name");
    l->tf = grn_table_column(b, "gene_name|TF|factor|tf_name|gene|gene_symbol|symbol");
    *is_header = l->motif >= 0 && l->tf >= 0;
    if (!*is_header) l->motif = 0, l->tf = 1;
    l->q = grn_table_column(b, "motif_similarity_qvalue");
    l->identity = grn_table_column(b, "orthologous_identity");
    l->text = grn_table_column(b, "description");
    l->direct = grn_table_column(b, "directAnnotation");
    l->ortho = grn_table_column(b, "inferred_Orthology");
    l->similar = grn_table_column(b, "inferred_MotifSimil");
    l->curated = grn_table_column(b, "Curated");
    if (*is_header && l->q >= 0 && l->identity >= 0 && l->text >= 0) l->form = CISTARGET;
    else if (*is_header && l->direct >= 0 && l->ortho >= 0 && l->similar >= 0) l->form = RCISTARGET;
    else if (*is_header && l->curated >= 0) l->form = GIMME;
    else l->form = TWO_COLUMNS;
    static const char *const names[] = { "two columns", "cisTarget", "RcisTarget", "gimme" };
    l->out->format = names[l->form];
    if (b->n < 2) return grn_text_fail(b->t, GRN_EFORMAT, "one column; a motif and a TF were expected");
    return GRN_OK;
}

static int is_true(const char *s)
{
    return !strcasecmp(s, "true") || !strcmp(s, "1") || !strcasecmp(s, "T");
}

static int text_kind(const char *s)
{
    int similar = strstr(s, "similar") != NULL, ortho = strstr(s, "orthologous") != NULL;
    if (!strcmp(s, "gene is directly annotated")) return GRN_M2T_DIRECT;
    return similar && ortho ? GRN_M2T_BOTH : similar ? GRN_M2T_SIMILAR : ortho ? GRN_M2T_ORTHOLOG : 0;
}

/* The evidence of the current row; 0: filtered out or without any. */
static grn_status row_kind(load_t *l, int *kind)
{
    char **f = l->b.field;
    *kind = GRN_M2T_DIRECT;
    if (l->form == CISTARGET) {
        double q, identity;
        const char *a = f[l->q], *b = f[l->identity];
        if (!grn_scan_f64(&a, &q) || *a || !grn_scan_f64(&b, &identity) || *b)
            return grn_text_fail(l->b.t, GRN_EFORMAT, "'%s', '%s' are no q-value and identity", f[l->q], f[l->identity]);
        *kind = q <= l->opt->max_q && identity >= l->opt->min_identity ? text_kind(f[l->text]) : 0;
    } else if (l->form == RCISTARGET) {
        int similar = is_true(f[l->similar]), ortho = is_true(f[l->ortho]);
        *kind = is_true(f[l->direct]) ? GRN_M2T_DIRECT : similar && ortho ? GRN_M2T_BOTH : similar ? GRN_M2T_SIMILAR :
                ortho ? GRN_M2T_ORTHOLOG : 0;
    } else if (l->form == GIMME) {
        *kind = !strcasecmp(f[l->curated], "Y") ? GRN_M2T_DIRECT : GRN_M2T_SIMILAR;
    }
    *kind &= l->opt->kinds;
    return GRN_OK;
}

/* "MA0006.1.Ahr" -> "Ahr": how gimmemotifs' JASPAR tables spell the first factor. */
static const char *strip_matrix_id(const char *s, size_t *n)
{
    if (*n < 8 || strncmp(s, "MA", 2) != 0 || strspn(s + 2, "0123456789") != 4 || s[6] != '.') return s;
    size_t k = 7 + strspn(s + 7, "0123456789");
    if (k == 7 || k + 1 >= *n || s[k] != '.') return s;
    *n -= k + 1;
    return s + k + 1;
}

static grn_status add_pair(load_t *l, size_t motif, const char *tf, size_t n, int kind)
{
    grn_status rc = GRN_OK;
    grn_motif2tf_t *o = l->out;
    size_t t, k;
    int is_new;
    GRN_TRY(grn_names_add_n(&o->tfs, tf, n, &t, NULL));
    l->key.n = 0;
    GRN_TRY(grn_str_printf(&l->key, "%zu\t%zu", motif, t));
    GRN_TRY(grn_names_add(&l->pairs, l->key.s, &k, &is_new));
    if (k >= l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 1024;
        uint32_t *m = grn_realloc(o->motif, cap, sizeof *m);
        if (m) o->motif = m;
        uint32_t *f = grn_realloc(o->tf, cap, sizeof *f);
        if (f) o->tf = f;
        uint8_t *e = grn_realloc(o->kind, cap, sizeof *e);
        if (e) o->kind = e;
        if (!m || !f || !e) return GRN_ENOMEM;
        l->cap = cap;
    }
    if (is_new) {
        o->motif[k] = (uint32_t)motif;
        o->tf[k] = (uint32_t)t;
        o->kind[k] = 0;
        o->n++;
    }
    o->kind[k] |= (uint8_t)kind;
end:
    return rc;
}

/* Every TF of a cell: split at "::" and ",". */
static grn_status add_tfs(load_t *l, size_t motif, const char *s, int kind)
{
    grn_status rc = GRN_OK;
    while (*s) {
        size_t n = 0;
        while (*s == ' ') s++;
        while (s[n] && s[n] != ',' && !(s[n] == ':' && s[n + 1] == ':')) n++;
        size_t len = n;
        while (len && s[len - 1] == ' ') len--;
        const char *tf = s;
        if (l->form == GIMME) tf = strip_matrix_id(s, &len);
        l->out->n_stripped += tf != s;
        if (len) GRN_TRY(add_pair(l, motif, tf, len, kind));
        s += n;
        if (*s == ',') s++;
        else if (*s) s += 2;
    }
end:
    return rc;
}

static grn_status add_row(load_t *l)
{
    grn_status rc = GRN_OK;
    size_t motif, need = 0;
    int kind;
    const int cols[] = { l->motif, l->tf, l->form == CISTARGET ? l->q : -1, l->form == CISTARGET ? l->identity : -1,
                         l->form == CISTARGET ? l->text : -1, l->form == RCISTARGET ? l->direct : -1, l->form == RCISTARGET ? l->ortho : -1,
                         l->form == RCISTARGET ? l->similar : -1, l->form == GIMME ? l->curated : -1 };
    for (size_t i = 0; i < sizeof cols / sizeof *cols; i++)
        if (cols[i] >= 0 && (size_t)cols[i] + 1 > need) need = (size_t)cols[i] + 1;
    if (l->b.n < need) return grn_text_fail(l->b.t, GRN_EFORMAT, "%zu columns, %zu were expected", l->b.n, need);
    if (!l->b.field[l->motif][0]) return grn_text_fail(l->b.t, GRN_EFORMAT, "the motif is empty");
    l->out->n_rows++;
    GRN_TRY(row_kind(l, &kind));
    if (!kind) return GRN_OK;
    l->out->n_rows_kept++;
    GRN_TRY(grn_names_add(&l->out->motifs, l->b.field[l->motif], &motif, NULL));
    GRN_TRY(add_tfs(l, motif, l->b.field[l->tf], kind));
end:
    return rc;
}

grn_status grn_motif2tf_load(const char *path, const grn_motif2tf_opt_t *opt, grn_motif2tf_t *t)
{
    static const grn_motif2tf_opt_t defaults = GRN_MOTIF2TF_OPT_INIT;
    grn_status rc = GRN_OK;
    load_t l = { .opt = opt ? opt : &defaults, .out = t };
    int got, is_header = 0;
    GRN_TRY(grn_table_open(&l.b, path));
    if ((got = grn_table_next(&l.b)) > 0) {
        GRN_TRY(choose_form(&l, &is_header));
        if (!is_header) GRN_TRY(add_row(&l));
        while ((got = grn_table_next(&l.b)) > 0) GRN_TRY(add_row(&l));
    }
    if (got < 0) {
        rc = (grn_status)got;
        goto end;
    }
    if (!t->n)
        GRN_FAIL(GRN_EEMPTY, "'%s': no motif-TF pair left (%" PRIu64 " rows read, %" PRIu64 " kept by the evidence filters)", path,
                 t->n_rows, t->n_rows_kept);
end:
    grn_table_close(&l.b);
    grn_names_clear(&l.pairs);
    grn_str_clear(&l.key);
    if (rc) grn_motif2tf_clear(t);
    return rc;
}

grn_status grn_motif2tf_by_motif(const grn_motif2tf_t *t, size_t **first, size_t **pair)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_NEW(*first, t->motifs.n + 2));
    GRN_TRY(GRN_NEW_RAW(*pair, t->n));
    size_t *at = *first + 1; /* counts shifted by one: filling turns starts into ends */
    for (size_t i = 0; i < t->n; i++) at[t->motif[i] + 1]++;
    for (size_t m = 0; m < t->motifs.n; m++) at[m + 1] += at[m];
    for (size_t i = 0; i < t->n; i++) (*pair)[at[t->motif[i]]++] = i;
end:
    return rc;
}
