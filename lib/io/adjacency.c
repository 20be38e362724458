#include "io/adjacency.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"
#include "io/table.h"

#define MIXED 2 /* rows of the edge disagree in sign */

typedef struct {
    uint32_t tf, gene;
    int8_t sign;
    float weight;
} edge_t;

typedef struct {
    grn_table_t b;
    const char *confidence;
    grn_names_t genes, pairs;
    grn_str_t key;
    edge_t *edge;
    size_t n, cap;
    int tf, gene, weight, sign, level; /* columns; -1 none */
    grn_adjacency_info_t info;
} load_t;

/* "+1", "Activation", "upregulates-expression" -> 1 ... 0: says nothing. */
static int sign_of(const char *s)
{
    static const char *const plus[] = { "+", "activation", "activator", "activates", "stimulation", "positive", "up", "induc" };
    static const char *const minus[] = { "-", "repress", "inhib", "negative", "down" };
    const char *p = s;
    double v;
    if (grn_scan_f64(&p, &v) && !*p) return v > 0 ? 1 : v < 0 ? -1 : 0;
    for (size_t i = 0; i < sizeof minus / sizeof *minus; i++)
        if (!strncasecmp(s, minus[i], strlen(minus[i]))) return -1;
    for (size_t i = 0; i < sizeof plus / sizeof *plus; i++)
        if (!strncasecmp(s, plus[i], strlen(plus[i]))) return 1;
    return 0;
}

static int is_number(const char *s)
{
    double v;
    return grn_scan_f64(&s, &v) && !*s;
}

/* Reads the first row: names of columns, or the first edge of a file without header (columns by place: TF, target, then sign or weight). */
static grn_status choose_columns(load_t *l, int *is_header)
{
    const grn_table_t *b = &l->b;
    if (b->n < 2) return grn_text_fail(b->t, GRN_EFORMAT, "one column; a TF and a target were expected");
    l->tf = grn_table_column(b, "tf|source|regulator|gene1|source_genesymbol");
    l->gene = grn_table_column(b, "target|gene2|gene|target_genesymbol");
    *is_header = l->tf >= 0 && l->gene >= 0;
    l->weight = *is_header ? grn_table_column(b, "importance|weight|score|edgeweight") : -1;
    l->sign = *is_header ? grn_table_column(b, "mor|interaction|sign|type|effect|mode") : -1;
    l->level = *is_header ? grn_table_column(b, "confidence") : -1;
    if (l->confidence && l->level < 0)
        return grn_text_fail(b->t, GRN_EFORMAT, "confidence levels were asked for, but no column is named so");
    if (*is_header) return GRN_OK;
    l->tf = 0;
    l->gene = 1;
    if (b->n > 2 && is_number(b->field[2])) l->weight = 2;
    else if (b->n > 2) l->sign = 2;
    return GRN_OK;
}

static void merge(load_t *l, edge_t *e, int sign, float weight)
{
    l->info.n_merged++;
    if (weight > e->weight) e->weight = weight;
    if (sign && !e->sign) e->sign = (int8_t)sign;
    else if (sign && e->sign != MIXED && sign != e->sign) e->sign = MIXED, l->info.n_conflict++;
}

static grn_status add_row(load_t *l)
{
    grn_status rc = GRN_OK;
    const grn_table_t *b = &l->b;
    char *const *f = b->field;
    int need = l->tf > l->gene ? l->tf : l->gene, is_new;
    double weight = 1;
    size_t tf, gene, k;
    need = l->weight > need ? l->weight : need;
    need = l->sign > need ? l->sign : need;
    need = l->level > need ? l->level : need;
    if (b->n <= (size_t)need) return grn_text_fail(b->t, GRN_EFORMAT, "%zu columns, %d were expected", b->n, need + 1);
    if (!f[l->tf][0] || !f[l->gene][0]) return grn_text_fail(b->t, GRN_EFORMAT, "an empty TF or target name");
    l->info.n_rows++;
    if (l->confidence && (!f[l->level][0] || !strchr(l->confidence, f[l->level][0]))) return GRN_OK;
    l->info.n_kept++;
    if (l->weight >= 0) {
        const char *p = f[l->weight];
        if (!grn_scan_f64(&p, &weight) || *p || !isfinite(weight))
            return grn_text_fail(b->t, GRN_EFORMAT, "'%s' is no finite weight", f[l->weight]);
    }
    int sign = l->sign >= 0 ? sign_of(f[l->sign]) : weight < 0 ? -1 : 0;
    if (l->sign >= 0 && l->weight < 0 && is_number(f[l->sign])) { /* a signed strength (mor): its size is the weight */
        const char *p = f[l->sign];
        (void)grn_scan_f64(&p, &weight);
        if (!isfinite(weight)) return grn_text_fail(b->t, GRN_EFORMAT, "'%s' is no finite mode of regulation", f[l->sign]);
    }
    GRN_TRY(grn_names_add(&l->genes, f[l->tf], &tf, NULL));
    GRN_TRY(grn_names_add(&l->genes, f[l->gene], &gene, NULL));
    l->key.n = 0;
    GRN_TRY(grn_str_printf(&l->key, "%zu\t%zu", tf, gene));
    GRN_TRY(grn_names_add(&l->pairs, l->key.s, &k, &is_new));
    GRN_TRY(GRN_GROW(l->edge, l->cap, k + 1));
    if (is_new) l->edge[l->n++] = (edge_t){ (uint32_t)tf, (uint32_t)gene, (int8_t)sign, (float)fabs(weight) };
    else merge(l, &l->edge[k], sign, (float)fabs(weight));
end:
    return rc;
}

static grn_status fill_edges(load_t *l, grn_edges_t *e)
{
    grn_status rc = GRN_OK;
    GRN_TRY(grn_edges_alloc(e, l->n, "tf,gene,sign,weight"));
    for (size_t i = 0; i < l->n; i++) {
        e->tf[i] = l->edge[i].tf;
        e->gene[i] = l->edge[i].gene;
        e->sign[i] = l->edge[i].sign == MIXED ? 0 : l->edge[i].sign;
        e->weight[i] = l->edge[i].weight;
        l->info.n_pos += e->sign[i] > 0;
        l->info.n_neg += e->sign[i] < 0;
    }
    e->genes = l->genes;
    memset(&l->genes, 0, sizeof l->genes);
end:
    return rc;
}

grn_status grn_adjacency_load(const char *path, const char *confidence, grn_edges_t *e, grn_adjacency_info_t *info)
{
    grn_status rc = GRN_OK;
    load_t l = { .confidence = confidence };
    int got, is_header = 0;
    GRN_TRY(grn_table_open(&l.b, path));
    if ((got = grn_table_next(&l.b)) > 0) {
        GRN_TRY(choose_columns(&l, &is_header));
        if (!is_header) GRN_TRY(add_row(&l));
        while ((got = grn_table_next(&l.b)) > 0) GRN_TRY(add_row(&l));
        l.info.has_weight = l.weight >= 0;
        l.info.has_sign = l.sign >= 0;
    }
    if (got < 0) {
        rc = (grn_status)got;
        goto end;
    }
    if (!l.n) GRN_FAIL(GRN_EEMPTY, "'%s' holds no edge (%" PRIu64 " rows read, %" PRIu64 " kept)", path, l.info.n_rows, l.info.n_kept);
    GRN_TRY(fill_edges(&l, e));
    if (info) *info = l.info;
end:
    grn_table_close(&l.b);
    grn_names_clear(&l.genes);
    grn_names_clear(&l.pairs);
    grn_str_clear(&l.key);
    free(l.edge);
    if (rc) grn_edges_clear(e);
    return rc;
}
