#include "io/motifs.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/str.h"
#include "io/text.h"

typedef struct { /* a 4 x 4 matrix without letters: which way round it goes is known when the file has been read */
    size_t motif;
    double v[16];
} square_t;

typedef struct { /* the motif being read: numbers as they stand, row after row */
    grn_text_t *t;
    grn_motifs_t *out;
    grn_str_t name, alt;
    double *v;
    size_t n, cap, n_rows, n_cols;
    int row_of[4]; /* row of A C G T where rows carry letters, else -1 */
    int col_of[4]; /* column of A C G T (TRANSFAC says), else 0..3 */
    int lettered;
    size_t before;  /* motifs of earlier files */
    double n_sites; /* MEME */
    double weight, gap;
    int open;
    square_t *square;
    size_t n_square, square_cap;
    int seen_pos, seen_base; /* motifs whose rows must be positions; must be bases */
} read_t;

void grn_motifs_clear(grn_motifs_t *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->m[i].p);
        free(s->m[i].total);
        free(s->m[i].alt);
    }
    free(s->m);
    grn_names_clear(&s->names);
    memset(s, 0, sizeof *s);
}

static int letter_code(char c)
{
    switch (toupper((unsigned char)c)) {
    case 'A': return 0;
    case 'C': return 1;
    case 'G': return 2;
    case 'T':
    case 'U': return 3;
    default: return -1;
    }
}

static void begin(read_t *r)
{
    r->n = r->n_rows = r->n_cols = 0;
    r->lettered = 0;
    r->n_sites = 0;
    r->weight = 1;
    r->gap = NAN;
    r->open = 1;
    for (int b = 0; b < 4; b++) r->row_of[b] = -1, r->col_of[b] = b;
}

static grn_status fail(const read_t *r, const char *what)
{
    return grn_text_fail(r->t, GRN_EFORMAT, "motif '%s': %s", r->name.s ? r->name.s : "", what);
}

/* Adds the numbers of a line ("[", "]", "|" and commas are blanks), the first `max` of them: what follows is a consensus letter. */
static grn_status add_row(read_t *r, const char *s, size_t max)
{
    size_t n = 0;
    while (n < max) {
        double v;
        while (*s == ' ' || *s == '\t' || *s == '[' || *s == ']' || *s == '|' || *s == ',') s++;
        if (!*s || *s == '#') break;
        if (!grn_scan_f64(&s, &v) || (*s && !strchr(" \t],|", *s))) return fail(r, "a matrix row holds something that is no number");
        if (!isfinite(v)) return fail(r, "a matrix row holds a number that is not finite");
        grn_status rc = GRN_GROW(r->v, r->cap, r->n + 1);
        if (rc) return rc;
        r->v[r->n++] = v;
        n++;
    }
    if (r->n_rows && n != r->n_cols) return fail(r, "matrix rows of unequal length");
    r->n_cols = n;
    r->n_rows++;
    return GRN_OK;
}

/* (max - min) / mean of the sums along rows (by_row) or columns. */
static double spread(const read_t *r, int by_row)
{
    double lo = INFINITY, hi = -INFINITY, all = 0;
    size_t n = by_row ? r->n_rows : r->n_cols, m = by_row ? r->n_cols : r->n_rows;
    for (size_t i = 0; i < n; i++) {
        double s = 0;
        for (size_t j = 0; j < m; j++) s += by_row ? r->v[i * r->n_cols + j] : r->v[j * r->n_cols + i];
        lo = s < lo ? s : lo;
        hi = s > hi ? s : hi;
        all += s;
    }
    return all != 0 ? (hi - lo) / fabs(all / (double)n) : INFINITY;
}

/* 1: a row is a position (4 columns are A C G T). 0: a row is a base. < 0: neither. */
static int rows_are_positions(const read_t *r)
{
    if (r->lettered) return 0;
    if (r->n_rows == 4 && r->n_cols == 4) return spread(r, 1) <= spread(r, 0); /* positions have equal sums */
    return r->n_cols == 4 ? 1 : r->n_rows == 4 ? 0 : -1;
}

static double value_at(const read_t *r, int by_pos, size_t pos, int base)
{
    if (by_pos) return r->v[pos * r->n_cols + (size_t)r->col_of[base]];
    return r->v[(size_t)(r->lettered ? r->row_of[base] : base) * r->n_cols + pos];
}

/* Log-odds against 0.25: the base of the logarithm (e or 2) is the one that makes columns sum to 1. */
static void from_logodds(const read_t *r, int by_pos, grn_motif_t *m)
{
    double off[2] = { 0, 0 };
    for (int base2 = 0; base2 < 2; base2++)
        for (size_t i = 0; i < m->w; i++) {
            double s = 0;
            for (int b = 0; b < 4; b++) {
                double v = value_at(r, by_pos, i, b);
                s += 0.25 * (base2 ? exp2(v) : exp(v));
            }
            off[base2] += fabs(s - 1);
        }
    for (size_t i = 0; i < m->w; i++) {
        double s = 0;
        for (int b = 0; b < 4; b++) {
            double v = value_at(r, by_pos, i, b);
            s += m->p[4 * i + (size_t)b] = off[1] < off[0] ? exp2(v) : exp(v);
        }
        for (int b = 0; b < 4; b++) m->p[4 * i + (size_t)b] /= s;
    }
    m->kind = GRN_MOTIF_LOGODDS;
}

/* Counts or probabilities: which one, from the sums; a position without any weight says nothing, 0.25 each. */
static void from_weights(const read_t *r, int by_pos, grn_motif_t *m)
{
    double most = 0;
    int probs = 1;
    for (size_t i = 0; i < m->w; i++) {
        double s = 0;
        for (int b = 0; b < 4; b++) s += m->p[4 * i + (size_t)b] = value_at(r, by_pos, i, b);
        if (s > most) most = s;
        m->total[i] = s;
        if (fabs(s - 1) > 0.05) probs = 0;
        for (int b = 0; b < 4; b++) m->p[4 * i + (size_t)b] = s > 0 ? m->p[4 * i + (size_t)b] / s : 0.25;
    }
    m->kind = probs ? GRN_MOTIF_PROBS : GRN_MOTIF_COUNTS;
    m->n_sites = probs ? r->n_sites : most;
}

static void set_totals(grn_motif_t *m)
{
    for (size_t i = 0; i < m->w && m->kind != GRN_MOTIF_COUNTS; i++) m->total[i] = m->n_sites > 0 ? m->n_sites : 100;
}

/* Ends the motif being read: orientation, kind, probabilities, name. */
static grn_status finish(read_t *r)
{
    grn_status rc = GRN_OK;
    grn_motifs_t *o = r->out;
    grn_motif_t *grown, m = { 0 };
    int negative = 0, is_new;
    if (!r->open) return GRN_OK;
    r->open = 0;
    if (!r->n_rows || !r->n_cols) return fail(r, "has no matrix");
    for (int b = 0; b < 4; b++)
        if (r->lettered && (r->row_of[b] < 0 || r->n_rows != 4)) return fail(r, "needs exactly one row each for A, C, G, T");
    int by_pos = rows_are_positions(r);
    if (by_pos < 0) return fail(r, "is neither 4 rows (A C G T) nor rows of 4 columns");
    size_t w = by_pos ? r->n_rows : r->n_cols;
    if (w > GRN_MOTIF_MAX_W) return fail(r, "is wider than 512 positions");
    for (size_t i = 0; i < r->n; i++) negative |= r->v[i] < 0;
    m.w = (uint32_t)w;
    m.weight = r->weight;
    m.gap = r->gap;
    GRN_TRY(GRN_NEW(m.p, 4 * w));
    GRN_TRY(GRN_NEW(m.total, w));
    if (negative) from_logodds(r, by_pos, &m);
    else from_weights(r, by_pos, &m);
    set_totals(&m);
    if (r->n_rows == 4 && r->n_cols == 4 && !r->lettered) {
        GRN_TRY(GRN_GROW(r->square, r->square_cap, r->n_square + 1));
        r->square[r->n_square].motif = o->n;
        memcpy(r->square[r->n_square++].v, r->v, sizeof r->square->v);
    } else if (!r->lettered) {
        if (by_pos) r->seen_pos = 1;
        else r->seen_base = 1;
    }
    if (r->alt.n && !(m.alt = strdup(r->alt.s))) GRN_FAIL(GRN_ENOMEM, "out of memory");
    GRN_TRY(grn_names_add(&o->names, r->name.s, NULL, &is_new));
    if (!is_new) {
        rc = fail(r, "this name was there before");
        goto end;
    }
    if ((o->n & (o->n - 1)) == 0) { /* room doubles at powers of two */
        grown = grn_realloc(o->m, o->n ? 2 * o->n : 1, sizeof *o->m);
        if (!grown) GRN_FAIL(GRN_ENOMEM, "out of memory");
        o->m = grown;
    }
    o->m[o->n++] = m;
    memset(&m, 0, sizeof m);
end:
    free(m.p);
    free(m.total);
    free(m.alt);
    return rc;
}

/* 4 x 4 matrices go the way the other matrices of the file go, where those agree. */
static void settle_squares(read_t *r)
{
    if (r->seen_pos == r->seen_base) return;
    for (size_t i = 0; i < r->n_square; i++) {
        grn_motif_t *m = &r->out->m[r->square[i].motif];
        memcpy(r->v, r->square[i].v, sizeof r->square[i].v); /* room is there: this matrix was read into it */
        r->n_rows = r->n_cols = 4;
        r->lettered = 0;
        if (m->kind == GRN_MOTIF_LOGODDS) from_logodds(r, r->seen_pos, m);
        else from_weights(r, r->seen_pos, m);
        set_totals(m);
    }
}

static grn_status set_text(grn_str_t *b, const char *s, size_t n)
{
    b->n = 0;
    return grn_str_add(b, s, n);
}

/* First blank-separated word of s into name, the second (if any) into alt. */
static grn_status set_names(read_t *r, const char *s)
{
    grn_status rc;
    s += strspn(s, " \t");
    size_t n = strcspn(s, " \t");
    if ((rc = set_text(&r->name, s, n))) return rc;
    s += n;
    s += strspn(s, " \t");
    return set_text(&r->alt, s, strcspn(s, " \t"));
}

/* ---- MEME ---- */

static double number_after(const char *s, const char *key)
{
    const char *p = strstr(s, key);
    double v = 0;
    if (!p) return 0;
    p += strlen(key);
    while (*p == ' ') p++;
    return grn_scan_f64(&p, &v) ? v : 0;
}

static void meme_background(grn_motifs_t *o, const char *s)
{
    double bg[4] = { 0 };
    for (int seen = 0; seen < 4; seen++) {
        s += strspn(s, " \t");
        int b = letter_code(*s);
        if (b < 0) return;
        s++;
        s += strspn(s, " \t");
        if (!grn_scan_f64(&s, &bg[b])) return;
    }
    double sum = bg[0] + bg[1] + bg[2] + bg[3];
    for (int b = 0; b < 4 && sum > 0; b++) o->background[b] = bg[b] / sum;
}

static grn_status read_meme(read_t *r)
{
    grn_status rc = GRN_OK;
    char *line;
    int got, in_matrix = 0, in_background = 0;
    while ((got = grn_text_next(r->t, &line, NULL)) > 0) {
        const char *s = line + strspn(line, " \t");
        if (!strncmp(s, "MOTIF", 5) && (s[5] == ' ' || s[5] == '\t')) {
            GRN_TRY(finish(r));
            GRN_TRY(set_names(r, s + 5));
            if (!r->name.n) return grn_text_fail(r->t, GRN_EFORMAT, "a MOTIF line without a name");
            begin(r);
            in_matrix = in_background = 0;
        } else if (!strncmp(s, "letter-probability matrix:", 26)) {
            if (!r->open) return grn_text_fail(r->t, GRN_EFORMAT, "a matrix without a MOTIF line before it");
            double alength = number_after(s, "alength=");
            if (alength != 0 && alength != 4) return fail(r, "is not a DNA motif (alength is not 4)");
            r->n_sites = number_after(s, "nsites=");
            in_matrix = 1;
        } else if (!strncmp(s, "Background letter frequencies", 29)) {
            in_background = 1;
        } else if (in_background && *s) {
            meme_background(r->out, s);
            in_background = 0;
        } else if (in_matrix && (isdigit((unsigned char)*s) || *s == '.' || *s == '-')) {
            GRN_TRY(add_row(r, s, SIZE_MAX));
        } else if (in_matrix && *s) {
            in_matrix = 0;
        }
    }
    if (got < 0) return (grn_status)got;
    GRN_TRY(finish(r));
end:
    return rc;
}

/* ---- TRANSFAC ---- */

static grn_status transfac_header(read_t *r, const char *s)
{
    int col = 0;
    for (int b = 0; b < 4; b++) r->col_of[b] = -1;
    for (; *s; s++) {
        if (isspace((unsigned char)*s)) continue;
        int b = letter_code(*s);
        if (b < 0) break;
        r->col_of[b] = col++;
    }
    for (int b = 0; b < 4; b++)
        if (col != 4 || r->col_of[b] < 0) return fail(r, "the P0 line does not name the columns A, C, G, T");
    return GRN_OK;
}

static grn_status read_transfac(read_t *r)
{
    grn_status rc = GRN_OK;
    grn_str_t ac = { 0 }, id = { 0 }, na = { 0 };
    char *line;
    int got, in_matrix = 0;
    while ((got = grn_text_next(r->t, &line, NULL)) > 0) {
        const char *s = line[0] && line[1] ? line + 2 + strspn(line + 2, " \t") : "";
        size_t n = strcspn(s, " \t;");
        if (!strncmp(line, "AC", 2)) GRN_TRY(set_text(&ac, s, n));
        else if (!strncmp(line, "ID", 2)) GRN_TRY(set_text(&id, s, n));
        else if (!strncmp(line, "NA", 2)) GRN_TRY(set_text(&na, s, n));
        else if (!strncmp(line, "P0", 2) || !strncmp(line, "PO", 2)) {
            const grn_str_t *name = ac.n ? &ac : id.n ? &id : &na, *alt = ac.n && id.n ? &id : &na;
            if (!name->n) {
                rc = grn_text_fail(r->t, GRN_EFORMAT, "a TRANSFAC matrix without AC, ID or NA");
                goto end;
            }
            GRN_TRY(finish(r));
            GRN_TRY(set_text(&r->name, name->s, name->n));
            GRN_TRY(set_text(&r->alt, alt->s ? alt->s : "", alt == name ? 0 : alt->n));
            begin(r);
            GRN_TRY(transfac_header(r, s));
            in_matrix = 1;
        } else if (in_matrix && isdigit((unsigned char)line[0])) {
            const char *row = line + strspn(line, "0123456789");
            GRN_TRY(add_row(r, row, 4));
        } else if (!strncmp(line, "//", 2)) {
            GRN_TRY(finish(r));
            ac.n = id.n = na.n = 0;
            in_matrix = 0;
        } else if (!strncmp(line, "XX", 2)) {
            in_matrix = 0;
        }
    }
    if (got < 0) rc = (grn_status)got;
    else rc = finish(r);
end:
    grn_str_clear(&ac);
    grn_str_clear(&id);
    grn_str_clear(&na);
    return rc;
}

/* ---- ">name" and numbers: JASPAR, Cluster-Buster, gimme, HOMER; or numbers alone ---- */

/* HOMER headers: consensus TAB name TAB threshold. */
static grn_status plain_names(read_t *r, char *s)
{
    char *tab = strchr(s, '\t'), *tab2 = tab ? strchr(tab + 1, '\t') : NULL;
    double v;
    const char *p = tab2 ? tab2 + 1 : NULL;
    if (p && grn_scan_f64(&p, &v) && (!*p || *p == '\t') && tab2 > tab + 1) {
        grn_status rc = set_text(&r->name, tab + 1, (size_t)(tab2 - tab - 1));
        return rc ? rc : set_text(&r->alt, s, (size_t)(tab - s));
    }
    return set_names(r, s);
}

/* The name of a file that holds one bare matrix: its base name without suffix. */
static grn_status name_from_path(read_t *r)
{
    const char *base = grn_path_base(grn_text_path(r->t)), *dot;
    size_t n = strlen(base);
    if (grn_str_ends(base, ".gz")) n -= 3;
    for (dot = base + n; dot > base && *dot != '.'; dot--) {}
    r->alt.n = 0;
    return set_text(&r->name, base, dot > base ? (size_t)(dot - base) : n);
}

static grn_status lettered_row(read_t *r, const char *s)
{
    int b = letter_code(*s);
    if (r->n_rows && !r->lettered) return fail(r, "some matrix rows begin with a base and some do not");
    if (r->row_of[b] >= 0) return fail(r, "has two rows for one base");
    r->lettered = 1;
    r->row_of[b] = (int)r->n_rows;
    return add_row(r, s + 1 + (s[1] == ':'), SIZE_MAX);
}

/* "# WEIGHT 2.7", "# GAP 20": Cluster-Buster's, of the motif being read; other comments are passed over. */
static grn_status read_comment(read_t *r, const char *s)
{
    static const struct {
        const char *key;
        size_t n;
    } known[] = { { "WEIGHT", 6 }, { "GAP", 3 } };
    s += 1 + strspn(s + 1, " \t");
    for (int i = 0; i < 2 && r->open; i++) {
        const char *p = s + known[i].n;
        double v;
        if (strncmp(s, known[i].key, known[i].n) != 0 || (*p != ' ' && *p != '\t')) continue;
        p += strspn(p, " \t");
        if (!grn_scan_f64(&p, &v) || !isfinite(v) || v < 0 || (i == 0 && v == 0))
            return fail(r, "a WEIGHT or GAP line without a positive number");
        *(i ? &r->gap : &r->weight) = v;
    }
    return GRN_OK;
}

static grn_status read_plain(read_t *r)
{
    grn_status rc = GRN_OK;
    char *line;
    int got;
    while ((got = grn_text_next(r->t, &line, NULL)) > 0) {
        const char *s = line + strspn(line, " \t");
        if (*s == '#') GRN_TRY(read_comment(r, s));
        if (!*s || *s == '#') continue;
        if (*s == '>') {
            GRN_TRY(finish(r));
            GRN_TRY(plain_names(r, line + (s - line) + 1));
            if (!r->name.n) return grn_text_fail(r->t, GRN_EFORMAT, "'>' without a name");
            begin(r);
            continue;
        }
        if (!r->open) {
            if (r->out->n > r->before) return grn_text_fail(r->t, GRN_EFORMAT, "a matrix row outside a motif");
            GRN_TRY(name_from_path(r));
            begin(r);
        }
        if (letter_code(*s) >= 0 && strchr(" \t[|:", s[1])) GRN_TRY(lettered_row(r, s));
        else GRN_TRY(add_row(r, s, SIZE_MAX));
        if (r->lettered) r->out->format = "JASPAR";
    }
    if (got < 0) return (grn_status)got;
    int by_pos = r->open ? rows_are_positions(r) : 0;
    GRN_TRY(finish(r));
    settle_squares(r);
    if (!r->out->format) r->out->format = by_pos > 0 ? "Cluster-Buster" : "raw rows";
end:
    return rc;
}

typedef grn_status (*reader_fn)(read_t *);

/* The first lines decide. */
static grn_status choose(read_t *r, reader_fn *reader)
{
    const char *p, *end;
    size_t n;
    grn_status rc = grn_text_peek(r->t, 4096, &p, &n);
    if (rc) return rc;
    *reader = read_plain;
    for (end = p + n; p < end;) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        size_t len = (size_t)((nl ? nl : end) - p);
        while (len && (*p == ' ' || *p == '\t')) p++, len--;
        if (len >= 12 && !strncasecmp(p, "MEME version", 12)) {
            *reader = read_meme;
            r->out->format = "MEME";
            return GRN_OK;
        }
        if (len > 2 && strchr(" \t", p[2]) && (!strncmp(p, "AC", 2) || !strncmp(p, "ID", 2) || !strncmp(p, "NA", 2) ||
                                               !strncmp(p, "VV", 2) || !strncmp(p, "P0", 2) || !strncmp(p, "PO", 2))) {
            *reader = read_transfac;
            r->out->format = "TRANSFAC";
            return GRN_OK;
        }
        if (len && (*p == '>' || isdigit((unsigned char)*p) || *p == '[')) return GRN_OK;
        p += len + 1;
    }
    return GRN_OK;
}

grn_status grn_motifs_load(const char *path, grn_motifs_t *s)
{
    grn_status rc = GRN_OK;
    read_t r = { .out = s, .before = s->n };
    reader_fn reader;
    s->format = NULL;
    GRN_TRY(grn_text_open(&r.t, path));
    GRN_TRY(choose(&r, &reader));
    GRN_TRY(reader(&r));
    if (s->n == r.before) GRN_FAIL(GRN_EEMPTY, "'%s' holds no motif", path);
end:
    grn_text_close(r.t);
    grn_str_clear(&r.name);
    grn_str_clear(&r.alt);
    free(r.v);
    free(r.square);
    if (rc) grn_motifs_clear(s);
    return rc;
}

void grn_motif_logodds(const grn_motif_t *m, double pseudo, const double bg[4], double *out)
{
    double n = m->n_sites > 0 ? m->n_sites : 100;
    if (m->kind == GRN_MOTIF_LOGODDS) pseudo = 0;
    for (size_t i = 0; i < m->w; i++)
        for (size_t b = 0; b < 4; b++) {
            double q = (n * m->p[4 * i + b] + pseudo * bg[b]) / (n + pseudo);
            out[4 * i + b] = log2((q > 1e-9 ? q : 1e-9) / bg[b]);
        }
}
