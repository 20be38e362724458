#include "io/gtf.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "io/text.h"

#define NONE UINT32_MAX

typedef struct { /* the attributes that matter; pointers into the line, NULL absent */
    char *gene_id, *gene_name, *gene, *name, *id, *parent, *tx_id, *biotype;
} attrs_t;

typedef struct { /* a gene as found, before names are made unique */
    grn_gene_t g;
    uint32_t name; /* into names_raw; NONE: use the id */
    int has_row;   /* a gene row gave the bounds */
    int seen;
} raw_t;

typedef struct { /* a transcript: bounds from its row, or from its exons */
    uint32_t key;
    uint64_t start, end;
    int8_t strand;
    int has_row;
} tx_t;

typedef struct {
    grn_text_t *t;
    grn_genes_t *out;
    grn_names_t keys; /* gene key TAB chromosome -> raw */
    raw_t *raw;
    size_t raw_cap;
    grn_names_t names_raw, tx_keys;
    tx_t *tx;
    size_t tx_cap;
    grn_str_t key;
    int gff3; /* -1 unknown */
} load_t;

void grn_genes_clear(grn_genes_t *g)
{
    free(g->gene);
    free(g->tss);
    free(g->bare_gene);
    grn_names_clear(&g->names);
    grn_names_clear(&g->ids);
    grn_names_clear(&g->ids_bare);
    grn_names_clear(&g->chroms);
    grn_names_clear(&g->biotypes);
    memset(g, 0, sizeof *g);
}

uint64_t grn_gene_tss(const grn_gene_t *g)
{
    return g->strand < 0 ? g->end - 1 : g->start;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* GFF3 escapes (%2C) in place. */
static void unescape(char *s)
{
    char *w = s;
    for (; *s; s++) {
        int a = *s == '%' ? hex_digit(s[1]) : -1, b = a >= 0 ? hex_digit(s[2]) : -1;
        if (b >= 0 && a * 16 + b >= 32) *w++ = (char)(a * 16 + b), s += 2;
        else *w++ = *s;
    }
    *w = 0;
}

static void take_attr(attrs_t *a, const char *key, char *value)
{
    const struct { const char *key; char **to; } known[] = {
        { "gene_id", &a->gene_id }, { "gene_name", &a->gene_name }, { "gene", &a->gene }, { "Name", &a->name }, { "ID", &a->id },
        { "Parent", &a->parent }, { "transcript_id", &a->tx_id }, { "gene_biotype", &a->biotype }, { "gene_type", &a->biotype },
        { "biotype", &a->biotype },
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(key, known[i].key) && !*known[i].to && *value) *known[i].to = value;
}

/* GTF: key "value"; ...   GFF3: key=value;... Cuts the text in place. */
static void parse_attrs(char *s, int gff3, attrs_t *a)
{
    memset(a, 0, sizeof *a);
    while (*s) {
        while (*s == ' ' || *s == ';') s++;
        char *key = s;
        while (*s && *s != (gff3 ? '=' : ' ') && *s != ';') s++;
        if (!*s || *s == ';') continue;
        *s++ = 0;
        while (*s == ' ') s++;
        char *value = s;
        if (*s == '"') {
            value = ++s;
            while (*s && *s != '"') s++;
            if (*s) *s++ = 0;
            while (*s && *s != ';') s++;
        } else {
            while (*s && *s != ';') s++;
            if (*s) *s++ = 0;
        }
        if (gff3) unescape(value);
        take_attr(a, key, value);
    }
}

static int ends_in_gene(const char *type)
{
    return grn_str_ends(type, "gene") && strcmp(type, "transposable_element_gene") != 0;
}

/* Index of the gene (key, chrom), made if new. */
static grn_status raw_of(load_t *l, const char *key, const char *chrom, uint32_t *idx)
{
    size_t k;
    grn_status rc;
    l->key.n = 0;
    if ((rc = grn_str_printf(&l->key, "%s\t%s", key, chrom)) || (rc = grn_names_add(&l->keys, l->key.s, &k, NULL))) return rc;
    size_t old = l->raw_cap;
    if ((rc = GRN_GROW(l->raw, l->raw_cap, k + 1))) return rc;
    if (l->raw_cap > old) memset(l->raw + old, 0, (l->raw_cap - old) * sizeof *l->raw);
    *idx = (uint32_t)k;
    return GRN_OK;
}

static grn_status add_name(grn_names_t *d, const char *s, uint32_t *idx)
{
    size_t k = NONE;
    grn_status rc = s ? grn_names_add(d, s, &k, NULL) : GRN_OK;
    *idx = (uint32_t)k;
    return rc;
}

/* Takes bounds, names and ids of a row that describes gene `k` (is_gene) or a part of it. */
static grn_status note_gene(load_t *l, uint32_t k, const grn_gene_t *row, const char *name, const char *id, const char *biotype,
                            int is_gene)
{
    grn_status rc = GRN_OK;
    raw_t *r = &l->raw[k];
    if (!r->seen || (is_gene && !r->has_row)) {
        r->g.chrom = row->chrom;
        r->g.start = row->start;
        r->g.end = row->end;
        r->g.strand = row->strand;
        if (!r->seen) r->name = r->g.id = r->g.biotype = NONE;
        r->seen = 1;
        r->has_row = is_gene;
    } else if (!r->has_row && !is_gene) {
        if (row->start < r->g.start) r->g.start = row->start;
        if (row->end > r->g.end) r->g.end = row->end;
    }
    if (r->name == NONE) GRN_TRY(add_name(&l->names_raw, name, &r->name));
    if (r->g.id == NONE) GRN_TRY(add_name(&l->out->ids, id, &r->g.id));
    if (r->g.biotype == NONE) GRN_TRY(add_name(&l->out->biotypes, biotype, &r->g.biotype));
end:
    return rc;
}

static grn_status note_tx(load_t *l, uint32_t key, const char *tx_id, const char *chrom, const grn_gene_t *row, int is_tx)
{
    grn_status rc;
    size_t k;
    int is_new;
    l->key.n = 0;
    if ((rc = grn_str_printf(&l->key, "%s\t%s", tx_id, chrom)) || (rc = grn_names_add(&l->tx_keys, l->key.s, &k, &is_new)) ||
        (rc = GRN_GROW(l->tx, l->tx_cap, k + 1)))
        return rc;
    tx_t *x = &l->tx[k];
    if (is_new || (is_tx && !x->has_row)) {
        *x = (tx_t){ key, row->start, row->end, row->strand, is_tx };
    } else if (!x->has_row) {
        if (row->start < x->start) x->start = row->start;
        if (row->end > x->end) x->end = row->end;
    }
    return GRN_OK;
}

static const char *bare_id(const char *id)
{
    return !strncmp(id, "gene:", 5) || !strncmp(id, "gene-", 5) ? id + 5 : id;
}

static grn_status gff3_row(load_t *l, char **f, const grn_gene_t *row, const attrs_t *a)
{
    grn_status rc = GRN_OK;
    uint32_t k;
    if (ends_in_gene(f[2])) {
        const char *key = a->id ? a->id : a->gene_id;
        if (!key) return grn_text_fail(l->t, GRN_EFORMAT, "a gene without ID");
        GRN_TRY(raw_of(l, key, f[0], &k));
        const char *name = a->gene_name ? a->gene_name : a->gene ? a->gene : a->name;
        GRN_TRY(note_gene(l, k, row, name, a->gene_id ? a->gene_id : bare_id(key), a->biotype, 1));
    } else if (a->parent && a->id && strcmp(f[2], "exon") != 0 && strcmp(f[2], "CDS") != 0) {
        GRN_TRY(raw_of(l, a->parent, f[0], &k)); /* a parent that never comes as a gene is dropped in the end */
        GRN_TRY(note_tx(l, k, a->id, f[0], row, 1));
    }
end:
    return rc;
}

static grn_status gtf_row(load_t *l, char **f, const grn_gene_t *row, const attrs_t *a)
{
    grn_status rc = GRN_OK;
    uint32_t k;
    int is_gene = !strcmp(f[2], "gene"), is_tx = !strcmp(f[2], "transcript") || !strcmp(f[2], "mRNA"), is_exon = !strcmp(f[2], "exon");
    const char *key = a->gene_id ? a->gene_id : a->gene_name;
    if (!is_gene && !is_tx && !is_exon) return GRN_OK;
    if (!key) return grn_text_fail(l->t, GRN_EFORMAT, "a %s without gene_id", f[2]);
    GRN_TRY(raw_of(l, key, f[0], &k));
    GRN_TRY(note_gene(l, k, row, a->gene_name ? a->gene_name : a->gene, a->gene_id, a->biotype, is_gene));
    if (!is_gene) GRN_TRY(note_tx(l, k, a->tx_id ? a->tx_id : key, f[0], row, is_tx));
end:
    return rc;
}

static int whole_u64(const char *s, uint64_t *v)
{
    return grn_scan_u64(&s, v) && *s == 0;
}

static int is_word(const char *s)
{
    uint64_t v;
    return s[0] && strcmp(s, ".") != 0 && !whole_u64(s, &v);
}

static grn_status bed_row(load_t *l, char **f, size_t n, uint64_t start, uint64_t end)
{
    grn_status rc = GRN_OK;
    uint32_t k;
    size_t chrom;
    if (n < 4 || !f[3][0]) return grn_text_fail(l->t, GRN_EFORMAT, "a BED row of a gene needs its name in column 4");
    if (end <= start) return grn_text_fail(l->t, GRN_EFORMAT, "end %" PRIu64 " is not behind start %" PRIu64, end, start);
    grn_gene_t row = { .start = start, .end = end, .strand = n > 5 && f[5][0] == '-' ? -1 : n > 5 && f[5][0] == '+' ? 1 : 0 };
    GRN_TRY(grn_names_add(&l->out->chroms, f[0], &chrom, NULL));
    row.chrom = (uint32_t)chrom;
    grn_str_t key = { 0 };
    rc = grn_str_printf(&key, "%" PRIu64, grn_text_line(l->t)); /* every row is a gene of its own */
    if (!rc) rc = raw_of(l, key.s, f[0], &k);
    grn_str_clear(&key);
    if (rc) return rc;
    GRN_TRY(note_gene(l, k, &row, f[3], n > 6 && is_word(f[6]) ? f[6] : f[3], n > 7 && is_word(f[6]) && is_word(f[7]) ? f[7] : NULL, 1));
end:
    return rc;
}

static grn_status gxf_row(load_t *l, char **f, uint64_t start, uint64_t end)
{
    attrs_t a;
    size_t chrom;
    if (start == 0 || end < start)
        return grn_text_fail(l->t, GRN_EFORMAT, "%" PRIu64 "-%" PRIu64 " is no 1-based closed interval", start, end);
    grn_status rc = grn_names_add(&l->out->chroms, f[0], &chrom, NULL);
    if (rc) return rc;
    grn_gene_t row = { .chrom = (uint32_t)chrom, .start = start - 1, .end = end, .strand = f[6][0] == '-' ? -1 : f[6][0] == '+' ? 1 : 0 };
    if (l->gff3 < 0) { /* the first attribute decides: key=value or key "value" */
        size_t k = strcspn(f[8], "= \"");
        l->gff3 = f[8][k] == '=';
    }
    size_t n = strlen(f[8]);
    if (!l->gff3 && grn_text_unfinished(l->t) && n && !strchr("; \"", f[8][n - 1]))
        return grn_text_fail(l->t, GRN_ETRUNC, "the file is cut: its last line ends inside an attribute");
    parse_attrs(f[8], l->gff3, &a);
    return l->gff3 ? gff3_row(l, f, &row, &a) : gtf_row(l, f, &row, &a);
}

static grn_status read_rows(load_t *l)
{
    grn_status rc = GRN_OK;
    char *line, *f[10];
    int got, first = 1;
    while ((got = grn_text_next(l->t, &line, NULL)) > 0) {
        uint64_t a, b;
        if (!strcmp(line, "##FASTA")) break;
        if (!line[0] || line[0] == '#' || !strncmp(line, "track", 5) || !strncmp(line, "browser", 7)) continue;
        size_t n = grn_split(line, '\t', f, 10);
        if (n >= 9 && whole_u64(f[3], &a) && whole_u64(f[4], &b) && !whole_u64(f[1], &b) && whole_u64(f[4], &b))
            GRN_TRY(gxf_row(l, f, a, b));
        else if (n >= 3 && whole_u64(f[1], &a) && whole_u64(f[2], &b))
            GRN_TRY(bed_row(l, f, n, a, b));
        else if (!(first && n >= 3)) {
            rc = grn_text_fail(l->t, GRN_EFORMAT, "%zu columns; neither a GTF or GFF3 row (9, start and end in 4 and 5) nor BED", n);
            goto end;
        }
        first = 0;
    }
    if (got < 0) rc = (grn_status)got;
end:
    return rc;
}

/* ---- from rows to genes ---- */

static int is_primary(const char *chrom)
{
    return !strpbrk(chrom, "_.");
}

static int preference(const load_t *l, const grn_gene_t *g)
{
    int coding = g->biotype != NONE && !strcmp(grn_names_get(&l->out->biotypes, g->biotype), "protein_coding");
    return 2 * is_primary(grn_names_get(&l->out->chroms, g->chrom)) + coding;
}

/* One gene per name; from[k] = the raw gene that gene k came from. */
static grn_status choose_genes(load_t *l, uint32_t *from)
{
    grn_status rc = GRN_OK;
    grn_genes_t *o = l->out;
    for (size_t i = 0; i < l->keys.n; i++) {
        raw_t *r = &l->raw[i];
        if (!r->seen) continue; /* the parent of a transcript that is no gene */
        const char *name = r->name != NONE ? grn_names_get(&l->names_raw, r->name) : grn_names_get(&o->ids, r->g.id);
        size_t k;
        int is_new;
        if (r->name == NONE) o->n_unnamed++;
        if (r->g.id == NONE) GRN_TRY(add_name(&o->ids, name, &r->g.id));
        GRN_TRY(grn_names_add(&o->names, name, &k, &is_new));
        if (!is_new) o->n_duplicate++;
        if (is_new || preference(l, &r->g) > preference(l, &o->gene[k])) {
            o->gene[k] = r->g;
            from[k] = (uint32_t)i;
        }
    }
    o->n = o->names.n;
end:
    return rc;
}

typedef struct {
    uint32_t key;
    uint64_t pos;
} site_t;

static int by_site(const void *a, const void *b)
{
    const site_t *x = a, *y = b;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return x->pos < y->pos ? -1 : x->pos > y->pos;
}

/* Fills tss of every gene from the transcripts of the raw gene it came from. */
static grn_status place_tss(load_t *l, const uint32_t *from)
{
    grn_status rc = GRN_OK;
    grn_genes_t *o = l->out;
    site_t *site = NULL;
    uint64_t *first = NULL, n = 0; /* first[key]: its sites in site */
    size_t n_tx = l->tx_keys.n, n_key = l->keys.n;
    GRN_TRY(GRN_NEW_RAW(site, n_tx));
    GRN_TRY(GRN_NEW(first, n_key + 1));
    for (size_t i = 0; i < n_tx; i++) site[i] = (site_t){ l->tx[i].key, l->tx[i].strand < 0 ? l->tx[i].end - 1 : l->tx[i].start };
    if (n_tx) qsort(site, n_tx, sizeof *site, by_site);
    for (size_t i = 0; i < n_tx; i++) first[site[i].key + 1]++;
    for (size_t k = 0; k < n_key; k++) first[k + 1] += first[k];
    GRN_TRY(GRN_NEW_RAW(o->tss, n_tx + o->n));
    for (size_t k = 0; k < o->n; k++) {
        grn_gene_t *g = &o->gene[k];
        g->tss_off = n;
        for (uint64_t i = first[from[k]]; i < first[from[k] + 1]; i++)
            if (n == g->tss_off || o->tss[n - 1] != site[i].pos) o->tss[n++] = site[i].pos;
        if (n == g->tss_off) o->tss[n++] = grn_gene_tss(g);
        g->n_tss = (uint32_t)(n - g->tss_off);
    }
end:
    free(site);
    free(first);
    return rc;
}

/* Ids in gene order (ids[k] belongs to gene k where ids are distinct), and ids without version. */
static grn_status index_ids(grn_genes_t *o)
{
    grn_status rc = GRN_OK;
    GRN_TRY(GRN_NEW(o->bare_gene, o->n));
    for (size_t k = 0; k < o->n; k++) {
        const char *id = grn_names_get(&o->ids, o->gene[k].id), *dot = strrchr(id, '.');
        size_t n = dot && dot > id && dot[1] && strspn(dot + 1, "0123456789") == strlen(dot + 1) ? (size_t)(dot - id) : strlen(id), i;
        int is_new;
        GRN_TRY(grn_names_add_n(&o->ids_bare, id, n, &i, &is_new));
        if (is_new) o->bare_gene[i] = (uint32_t)k;
    }
end:
    return rc;
}

grn_status grn_genes_load(const char *path, grn_genes_t *g)
{
    grn_status rc = GRN_OK;
    load_t l = { .out = g, .gff3 = -1 };
    uint32_t *from = NULL;
    GRN_TRY(grn_text_open(&l.t, path));
    GRN_TRY(read_rows(&l));
    GRN_TRY(GRN_NEW(g->gene, l.keys.n));
    GRN_TRY(GRN_NEW(from, l.keys.n));
    GRN_TRY(choose_genes(&l, from));
    if (!g->n) GRN_FAIL(GRN_EEMPTY, "'%s' holds no gene", path);
    GRN_TRY(place_tss(&l, from));
    GRN_TRY(index_ids(g));
end:
    grn_text_close(l.t);
    grn_names_clear(&l.keys);
    grn_names_clear(&l.names_raw);
    grn_names_clear(&l.tx_keys);
    free(l.raw);
    free(l.tx);
    free(from);
    grn_str_clear(&l.key);
    if (rc) grn_genes_clear(g);
    return rc;
}

size_t grn_genes_find(const grn_genes_t *g, const char *key)
{
    size_t k = grn_names_find(&g->names, key);
    if (k != GRN_NAMES_NONE) return k;
    const char *dot = strrchr(key, '.');
    k = grn_names_find(&g->ids_bare, key);
    if (k == GRN_NAMES_NONE && dot && dot[1] && strspn(dot + 1, "0123456789") == strlen(dot + 1))
        k = grn_names_find_n(&g->ids_bare, key, (size_t)(dot - key));
    return k == GRN_NAMES_NONE ? k : g->bare_gene[k];
}
