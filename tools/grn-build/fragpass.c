#include "fragpass.h"

#include <htslib/hts_log.h>
#include <htslib/tbx.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "intern.h"
#include "io/bgzf.h"
#include "io/chrom.h"
#include "io/fragments.h"
#include "io/prov.h"
#include "io/text.h"

#define SPAN_TEXT ((size_t)128 << 10) /* unpacked and parsed while in the cache */
#define ROUND_BYTES ((size_t)1 << 20) /* read at once for each worker: in the cache too when there is one */
#define MAX_BARCODE 1024
#define N_EXAMPLES 3
#define NONE (UINT32_MAX - 1) /* of an intern table: not listed, not among the chromosomes */

typedef struct { /* a part of the file, for one worker */
    const grn_bgzf_span_t *packed; /* or: */
    const char *text;              /* whole lines */
    size_t n;
    grn_str_t head, tail; /* packed: what is in front of the first and behind the last newline */
    int has_newline;
    uint64_t n_lines; /* newlines behind the head; when a line was bad, those in front of it */
    grn_names_t unlisted;
    grn_status rc;
    int is_line; /* a line was bad, not the span */
    grn_str_t msg;
} span_t;

typedef struct {
    grn_inflater_t *z;
    char *buf;
    size_t cap;
    /* the batch: parsed, barcodes still texts */
    size_t n;
    grn_frag_t f[GRN_FRAG_BATCH];
    grn_intern_key_t key[GRN_FRAG_BATCH];
    uint64_t line[GRN_FRAG_BATCH];
    /* the chromosome of the last line, with its tab */
    char last[GRN_INTERN_PAD + 8];
    size_t last_n;
    uint64_t last_w, last_mask; /* of names of up to 7 bytes */
    uint32_t last_chrom;
    uint64_t n_lines, n_fragments, n_unlisted, n_no_chrom, n_no_count;
} worker_t;

typedef struct {
    grn_fragpass_t *p;
    const char *path, *prefix, *suffix;
    grn_intern_t cells, chroms;
    grn_fragpass_fn work;
    void *ctx;
    grn_par_t *pool;
    worker_t *worker;
    grn_bgzf_t *bgzf;
    const grn_bgzf_span_t *next; /* read ahead */
    size_t n_next;
    int next_got;
    char next_msg[1024];
    span_t *span;
    size_t n_span, span_cap;
    grn_str_t carry; /* a line that began in an earlier span */
    uint64_t line;   /* lines in front of the current span */
    int want_examples;
} pass_t;

void grn_fragpass_clear(grn_fragpass_t *p)
{
    grn_names_clear(&p->cells);
    grn_names_clear(&p->chroms);
    grn_names_clear(&p->lost_chroms);
    grn_names_clear(&p->renamed_chroms);
    grn_names_clear(&p->unlisted);
    memset(p, 0, sizeof *p);
}

size_t grn_barcode_bare(const char *s, size_t n)
{
    size_t k = n;
    while (k && s[k - 1] >= '0' && s[k - 1] <= '9') k--;
    return k > 1 && k < n && s[k - 1] == '-' ? k - 1 : n;
}

/* ---- names: called once per distinct text, under the lock of the table ---- */

static grn_status cell_name(const pass_t *a, const char *s, size_t n, char buf[MAX_BARCODE], size_t *len)
{
    size_t n_pre = strlen(a->prefix), n_suf = strlen(a->suffix);
    if (a->p->strip_suffix) n = grn_barcode_bare(s, n);
    if (n_pre + n + n_suf > MAX_BARCODE) return grn_err(GRN_EFORMAT, "a barcode of more than %d bytes", MAX_BARCODE);
    memcpy(buf, a->prefix, n_pre);
    memcpy(buf + n_pre, s, n);
    memcpy(buf + n_pre + n, a->suffix, n_suf);
    *len = n_pre + n + n_suf;
    return GRN_OK;
}

static grn_status new_cell(void *ctx, const char *s, size_t n, uint32_t *value)
{
    pass_t *a = ctx;
    char name[MAX_BARCODE];
    size_t i;
    grn_status rc = cell_name(a, s, n, name, &n);
    if (rc) return rc;
    if (a->p->listed_only) i = grn_names_find_n(&a->p->cells, name, n);
    else rc = grn_names_add_n(&a->p->cells, name, n, &i, NULL);
    if (rc) return rc;
    if (i != GRN_NAMES_NONE && i >= NONE) return grn_err(GRN_EUNSUP, "more than %u barcodes", NONE);
    *value = i == GRN_NAMES_NONE ? NONE : (uint32_t)i;
    return GRN_OK;
}

static grn_status new_chrom(void *ctx, const char *s, size_t n, uint32_t *value)
{
    grn_fragpass_t *p = ((pass_t *)ctx)->p;
    int renamed;
    size_t i = 0;
    grn_status rc = GRN_OK;
    if (!p->chroms_only) {
        rc = grn_names_add_n(&p->chroms, s, n, &i, NULL);
    } else {
        i = grn_chrom_find_n(&p->chroms, s, n, &renamed);
        if (i == GRN_NAMES_NONE) rc = grn_names_add_n(&p->lost_chroms, s, n, NULL, NULL);
        else if (renamed) rc = grn_names_add_n(&p->renamed_chroms, s, n, NULL, NULL);
    }
    *value = i == GRN_NAMES_NONE ? NONE : (uint32_t)i;
    return rc;
}

/* ---- a batch: barcodes to cells, and on to the caller ---- */

static grn_status keep_example(pass_t *a, span_t *s, const grn_intern_key_t *k)
{
    char name[MAX_BARCODE];
    size_t n;
    grn_status rc = cell_name(a, k->s, k->n, name, &n);
    return rc ? rc : grn_names_add_n(&s->unlisted, name, n, NULL, NULL);
}

/* On failure s->n_lines tells the line. */
static grn_status flush(pass_t *a, worker_t *w, span_t *s)
{
    grn_status rc = GRN_OK;
    size_t m = 0, i = 0;
    int keep_lost = !a->p->chroms_only || a->p->keep_no_chrom;
    uint64_t line = s->n_lines;
    for (; i < w->n; i++) {
        uint32_t cell;
        GRN_TRY(grn_intern_find(&a->cells, &w->key[i], &cell));
        if (cell == NONE) {
            w->n_unlisted++;
            if (a->want_examples && s->unlisted.n < N_EXAMPLES) GRN_TRY(keep_example(a, s, &w->key[i]));
            continue;
        }
        if (w->f[i].chrom == GRN_FRAG_NO_CHROM && !keep_lost) continue;
        w->f[m] = w->f[i];
        w->f[m++].cell = cell;
    }
    i = 0;
    w->n_fragments += m;
    if (m) GRN_TRY(a->work(a->ctx, w->f, m, (int)(w - a->worker)));
end:
    s->n_lines = rc ? w->line[i] : line;
    w->n = 0;
    return rc;
}

/* ---- a line ---- */

static grn_status find_chrom(pass_t *a, worker_t *w, const char *s, size_t n)
{
    grn_intern_key_t k;
    uint32_t v;
    grn_intern_key(&k, s, n);
    grn_status rc = grn_intern_find(&a->chroms, &k, &v);
    if (rc) return rc;
    w->last_chrom = v == NONE ? GRN_FRAG_NO_CHROM : v;
    w->last_n = 0;
    w->last_mask = 0;
    if (n + 1 > sizeof w->last) return GRN_OK; /* too long to be remembered */
    memcpy(w->last, s, n + 1);
    w->last_n = n + 1;
    if (n + 1 <= 8) {
        w->last_mask = ~(uint64_t)0 >> 8 * (7 - n);
        w->last_w = grn_load64(s) & w->last_mask;
    }
    return GRN_OK;
}

static inline int is_last_chrom(const worker_t *w, const char *s)
{
    if (w->last_mask) return (grn_load64(s) & w->last_mask) == w->last_w;
    return w->last_n && !memcmp(s, w->last, w->last_n);
}

/* The first byte at or behind s that is a control character; there is one in front of the padding. */
static inline const char *to_control(const char *s)
{
    for (;; s += 8) {
        uint64_t c = grn_controls(grn_load64(s));
        if (c) return s + (__builtin_ctzll(c) >> 3);
    }
}

/* 1 to 9 digits. */
static inline int to_u32(const char **p, uint32_t *v)
{
    uint64_t x = grn_load64(*p) ^ 0x3030303030303030u;
    uint64_t other = ((x + 0x7676767676767676u) | x) & 0x8080808080808080u; /* bytes that are no digit */
    unsigned n = other ? (unsigned)__builtin_ctzll(other) >> 3 : 8;
    if (!n) return 0;
    x <<= 8 * (8 - n);
    x = (x * 10) + (x >> 8); /* pairs of digits, then pairs of those */
    x = (((x & 0x000000ff000000ffu) * 0x000f424000000064u) + (((x >> 16) & 0x000000ff000000ffu) * 0x0000271000000001u)) >> 32;
    *p += n;
    *v = (uint32_t)x;
    if (n == 8 && **p >= '0' && **p <= '9') {
        *v = *v * 10 + (uint32_t)(*(*p)++ - '0');
        if (**p >= '0' && **p <= '9') return 0;
    }
    return 1;
}

/* Lines as almost all are: five columns or four, short numbers. 1 = parsed; 0 = look closer; < 0 = grn_status. */
static inline int parse_common(pass_t *a, worker_t *w, const char **at, grn_intern_key_t *barcode, grn_frag_t *f)
{
    const char *p = *at;
    if (!is_last_chrom(w, p)) {
        const char *tab = to_control(p);
        if (tab == p || *tab != '\t' || *p == '#') return 0;
        grn_status rc = find_chrom(a, w, p, (size_t)(tab - p));
        if (rc) return (int)rc;
        p = tab + 1;
    } else {
        p += w->last_n;
    }
    if (!to_u32(&p, &f->start) || *p++ != '\t' || !to_u32(&p, &f->end) || *p++ != '\t' || f->end <= f->start) return 0;
    const char *stop = grn_intern_key_to_control(barcode, p);
    if (stop == p) return 0;
    if (*stop == '\t') {
        p = stop + 1;
        if (!to_u32(&p, &f->count) || *p != '\n') return 0;
    } else {
        if (*stop != '\n') return 0;
        f->count = 1;
        w->n_no_count++;
        p = stop;
    }
    *at = p + 1;
    return 1;
}

static int has_count(const grn_fragment_t *x)
{
    return x->barcode[x->barcode_n] == '\t';
}

/* Any line: 1 = a fragment, 0 = none here, < 0 = grn_status. */
static int parse_any(pass_t *a, worker_t *w, const char **at, const char *end, grn_intern_key_t *barcode, grn_frag_t *f)
{
    grn_fragment_t x;
    int got = grn_fragment_parse(at, end, &x);
    if (got <= 0) return got;
    if (x.end > UINT32_MAX || x.count > UINT32_MAX)
        return grn_err(GRN_EFORMAT, "%" PRIu64 " in column %d is beyond 4,294,967,295", x.end > UINT32_MAX ? x.end : x.count,
                       x.end > UINT32_MAX ? 3 : 5);
    grn_status rc = find_chrom(a, w, x.chrom, x.chrom_n);
    if (rc) return (int)rc;
    grn_intern_key(barcode, x.barcode, x.barcode_n);
    *f = (grn_frag_t){ 0, 0, (uint32_t)x.start, (uint32_t)x.end, (uint32_t)x.count };
    w->n_no_count += !has_count(&x);
    return 1;
}

/* Whole lines [p, end), readable for GRN_INTERN_PAD bytes more. */
static grn_status parse_lines(pass_t *a, worker_t *w, span_t *s, const char *p, const char *end)
{
    grn_status rc = GRN_OK;
    while (p < end) {
        grn_frag_t *f = &w->f[w->n];
        grn_intern_key_t *barcode = &w->key[w->n];
        int got = parse_common(a, w, &p, barcode, f);
        if (got <= 0) {
            if (!got) got = parse_any(a, w, &p, end, barcode, f);
            if (got < 0) {
                char msg[4096]; /* the lines in front of this one come first */
                snprintf(msg, sizeof msg, "%s", grn_err_msg());
                GRN_TRY(flush(a, w, s));
                GRN_FAIL((grn_status)got, "%s", msg);
            }
            if (!got) {
                s->n_lines++;
                continue;
            }
        }
        f->chrom = w->last_chrom;
        w->n_no_chrom += f->chrom == GRN_FRAG_NO_CHROM;
        w->n_lines++;
        w->line[w->n] = s->n_lines++;
        grn_intern_prefetch(&a->cells, barcode);
        if (++w->n == GRN_FRAG_BATCH) GRN_TRY(flush(a, w, s));
    }
    GRN_TRY(flush(a, w, s));
end:
    s->is_line = rc != GRN_OK;
    w->n = 0;
    return rc;
}

/* ---- spans ---- */

static grn_status put(grn_str_t *to, const char *s, size_t n)
{
    to->n = 0;
    return grn_str_add(to, s, n);
}

static grn_status room(worker_t *w, size_t n)
{
    return GRN_GROW(w->buf, w->cap, n + GRN_INTERN_PAD);
}

static grn_status packed_span(pass_t *a, worker_t *w, span_t *s)
{
    grn_status rc = GRN_OK;
    size_t n = s->packed->n_text;
    s->has_newline = 0;
    GRN_TRY(room(w, n));
    GRN_TRY(grn_bgzf_inflate(w->z, a->bgzf, s->packed, w->buf));
    memset(w->buf + n, 0, GRN_INTERN_PAD);
    if (s->packed->off == 0) {
        const char *what = grn_magic_name(w->buf, n);
        if (what) GRN_FAIL(GRN_EFORMAT, "'%s' is compressed %s; text was expected", a->path, what);
    }
    const char *first = memchr(w->buf, '\n', n);
    if (!first) return put(&s->head, w->buf, n);
    const char *last = memrchr(w->buf, '\n', n);
    s->has_newline = 1;
    GRN_TRY(put(&s->head, w->buf, (size_t)(first + 1 - w->buf)));
    GRN_TRY(put(&s->tail, last + 1, (size_t)(w->buf + n - last - 1)));
    return parse_lines(a, w, s, first + 1, last + 1);
end:
    return rc;
}

static grn_status text_span(pass_t *a, worker_t *w, span_t *s)
{
    grn_status rc = room(w, s->n);
    if (rc) return rc;
    memcpy(w->buf, s->text, s->n);
    memset(w->buf + s->n, 0, GRN_INTERN_PAD);
    return parse_lines(a, w, s, w->buf, w->buf + s->n);
}

/* Object 0 reads ahead; the others are the spans. Failures are kept and told in file order. */
static grn_status span_work(void *ctx, size_t begin, size_t end, int worker)
{
    pass_t *a = ctx;
    (void)end; /* one at a time */
    if (begin == 0) {
        if (!a->bgzf) return GRN_OK;
        a->next_got = grn_bgzf_next(a->bgzf, ROUND_BYTES * (size_t)grn_par_n(a->pool), SPAN_TEXT, &a->next, &a->n_next);
        if (a->next_got < 0) snprintf(a->next_msg, sizeof a->next_msg, "%s", grn_err_msg());
        return GRN_OK;
    }
    span_t *s = &a->span[begin - 1];
    worker_t *w = &a->worker[worker];
    s->n_lines = 0;
    s->is_line = 0;
    s->head.n = s->tail.n = 0;
    s->rc = s->packed ? packed_span(a, w, s) : text_span(a, w, s);
    return s->rc ? put(&s->msg, grn_err_msg(), strlen(grn_err_msg())) : GRN_OK;
}

/* The line that begins in earlier spans and ends in this one. */
static grn_status join_line(pass_t *a, span_t *s)
{
    grn_status rc = grn_str_add(&a->carry, s->head.s ? s->head.s : "", s->head.n);
    worker_t *w = a->worker;
    if (rc || !s->has_newline) return rc;
    span_t one = { 0 };
    GRN_TRY(room(w, a->carry.n));
    memcpy(w->buf, a->carry.s, a->carry.n);
    memset(w->buf + a->carry.n, 0, GRN_INTERN_PAD);
    rc = parse_lines(a, w, &one, w->buf, w->buf + a->carry.n);
    if (rc) GRN_TRY(grn_err_prefix(rc, "'%s' line %" PRIu64, a->path, a->line + 1));
    a->line++;
    rc = put(&a->carry, s->tail.s ? s->tail.s : "", s->tail.n);
end:
    grn_names_clear(&one.unlisted);
    return rc;
}

static grn_status take_span(pass_t *a, span_t *s)
{
    grn_status rc = GRN_OK;
    if (s->packed) GRN_TRY(join_line(a, s));
    if (s->rc && s->is_line) GRN_FAIL(s->rc, "'%s' line %" PRIu64 ": %s", a->path, a->line + s->n_lines + 1, s->msg.s);
    if (s->rc) GRN_FAIL(s->rc, "%s", s->msg.s);
    a->line += s->n_lines;
    for (size_t i = 0; i < s->unlisted.n && a->p->unlisted.n < N_EXAMPLES; i++)
        GRN_TRY(grn_names_add(&a->p->unlisted, grn_names_get(&s->unlisted, i), NULL, NULL));
end:
    grn_names_clear(&s->unlisted);
    return rc;
}

/* Runs the spans; then, in file order, joins the lines cut at their borders. */
static grn_status run_spans(pass_t *a)
{
    a->want_examples = a->p->listed_only && a->p->unlisted.n < N_EXAMPLES;
    grn_status rc = grn_par_for(a->pool, a->n_span + 1, 1, span_work, a);
    for (size_t i = 0; i < a->n_span && !rc; i++) {
        rc = take_span(a, &a->span[i]);
        grn_progress_add(a->span[i].packed ? a->span[i].packed->n_text : a->span[i].n);
    }
    return rc;
}

static grn_status spans_grow(pass_t *a, size_t n)
{
    size_t old = a->span_cap;
    grn_status rc = GRN_GROW(a->span, a->span_cap, n);
    if (!rc && a->span_cap > old) memset(a->span + old, 0, (a->span_cap - old) * sizeof *a->span);
    return rc;
}

/* ---- sources ---- */

static grn_status pass_bgzf(pass_t *a)
{
    grn_status rc = GRN_OK;
    char digest[33];
    GRN_TRY(grn_bgzf_open(&a->bgzf, a->path));
    for (int w = 0; w < grn_par_n(a->pool); w++) GRN_TRY(grn_inflater_create(&a->worker[w].z));
    a->next_got = grn_bgzf_next(a->bgzf, ROUND_BYTES * (size_t)grn_par_n(a->pool), SPAN_TEXT, &a->next, &a->n_next);
    if (a->next_got < 0) return (grn_status)a->next_got;
    while (a->next_got > 0) {
        a->n_span = a->n_next;
        GRN_TRY(spans_grow(a, a->n_span));
        for (size_t i = 0; i < a->n_span; i++) a->span[i].packed = &a->next[i];
        GRN_TRY(run_spans(a));
    }
    if (a->next_got < 0) GRN_FAIL((grn_status)a->next_got, "%s", a->next_msg);
    grn_bgzf_digest(a->bgzf, digest);
    grn_prov_digest(a->path, digest);
    if (a->carry.n) { /* the last line has no newline */
        span_t last = { .has_newline = 1 };
        GRN_TRY(grn_str_add(&a->carry, "\n", 1));
        GRN_TRY(join_line(a, &last));
        grn_str_clear(&last.tail);
    }
end:
    return rc;
}

/* Whole lines, cut into spans at newlines. */
static grn_status pass_text(pass_t *a, const char *text, size_t n)
{
    grn_status rc = spans_grow(a, n / SPAN_TEXT + 1);
    if (rc) return rc;
    a->n_span = 0;
    for (size_t at = 0; at < n;) {
        size_t end = n - at > SPAN_TEXT ? at + SPAN_TEXT : n;
        if (end < n) end = (size_t)((const char *)memchr(text + end, '\n', n - end) + 1 - text);
        a->span[a->n_span].packed = NULL;
        a->span[a->n_span].text = text + at;
        a->span[a->n_span++].n = end - at;
        at = end;
    }
    return run_spans(a);
}

static grn_status pass_stream(pass_t *a)
{
    grn_status rc = GRN_OK;
    grn_fragments_t *f = NULL;
    const char *text;
    size_t n;
    uint64_t line;
    int got;
    GRN_TRY(grn_fragments_open(&f, a->path, grn_par_n(a->pool)));
    while ((got = grn_fragments_block(f, &text, &n, &line)) > 0) GRN_TRY(pass_text(a, text, n));
    if (got < 0) rc = (grn_status)got;
end:
    grn_fragments_close(f);
    return rc;
}

static grn_status put_name(grn_names_t *d, const char *s)
{
    return grn_names_add(d, s, NULL, NULL);
}

/* "chr22:1,000-2,000" -> [999, 2000) of chr22. A whole name that is a chromosome wins over the form. */
static grn_status parse_region(const char *region, const grn_names_t *chroms, const char *path, size_t *chrom, int64_t *begin,
                               int64_t *end)
{
    const char *colon = strrchr(region, ':'), *s = colon ? colon + 1 : "";
    char known[512];
    int64_t v[2] = { 1, INT64_C(1) << 40 };
    size_t n = strlen(region);
    *chrom = grn_chrom_find_n(chroms, region, n, NULL);
    if (*chrom == GRN_NAMES_NONE && colon) {
        *chrom = grn_chrom_find_n(chroms, region, (size_t)(colon - region), NULL);
        for (int k = 0; k < 2 && *s; k++) {
            for (v[k] = 0; (*s >= '0' && *s <= '9') || *s == ','; s++)
                if (*s != ',') v[k] = v[k] * 10 + (*s - '0') > (INT64_C(1) << 40) ? INT64_C(1) << 40 : v[k] * 10 + (*s - '0');
            if (k == 0 && *s == '-' && s[1]) s++;
        }
        if (*s || v[0] < 1 || v[1] < v[0])
            return grn_err(GRN_EUSAGE, "--region '%s' is not of the form chrom or chrom:start-end (counted from 1)", region);
    }
    *begin = v[0] - 1;
    *end = v[1];
    if (*chrom != GRN_NAMES_NONE) return GRN_OK;
    return grn_err(GRN_EUSAGE, "--region '%s': no such chromosome in the index of '%s'; it has: %s", region, path,
                   grn_names_show(chroms, 5, known, sizeof known));
}

static grn_status index_chroms(const tbx_t *tbx, grn_names_t *chroms)
{
    int n = 0;
    const char **name = tbx_seqnames((tbx_t *)(uintptr_t)tbx, &n);
    grn_status rc = GRN_OK;
    for (int i = 0; i < n && !rc; i++) rc = put_name(chroms, name[i]);
    free(name);
    return rc;
}

/* The lines of the region, through the index. Errors count lines from the first of the region. */
static grn_status pass_region(pass_t *a)
{
    grn_status rc = GRN_OK;
    htsFile *f = NULL;
    tbx_t *tbx = NULL;
    hts_itr_t *itr = NULL;
    kstring_t line = { 0, 0, NULL };
    grn_names_t chroms = { 0 };
    grn_str_t text = { 0 };
    size_t chrom;
    int64_t begin, end;
    int got;
    hts_set_log_level(HTS_LOG_OFF);
    if (grn_bgzf_is(a->path)) GRN_TRY(grn_bgzf_open(&a->bgzf, a->path)); /* whole, with its last block */
    f = hts_open(a->path, "r");
    if (!f) GRN_FAIL(GRN_EIO, "cannot open '%s'", a->path);
    tbx = tbx_index_load3(a->path, NULL, HTS_IDX_SILENT_FAIL);
    if (!tbx) GRN_FAIL(GRN_EUSAGE, "--region needs the index of '%s' (.tbi): bgzip it and run tabix -p bed", a->path);
    GRN_TRY(index_chroms(tbx, &chroms));
    GRN_TRY(parse_region(a->p->region, &chroms, a->path, &chrom, &begin, &end));
    itr = tbx_itr_queryi(tbx, tbx_name2id(tbx, grn_names_get(&chroms, chrom)), begin, end);
    if (!itr) GRN_FAIL(GRN_EIO, "cannot look up '%s' in the index of '%s'", a->p->region, a->path);
    grn_bgzf_close(a->bgzf);
    a->bgzf = NULL;
    while ((got = tbx_itr_next(f, tbx, itr, &line)) >= 0) {
        GRN_TRY(grn_str_add(&text, line.s, line.l));
        GRN_TRY(grn_str_add(&text, "\n", 1));
        if (text.n < ROUND_BYTES * (size_t)grn_par_n(a->pool)) continue;
        GRN_TRY(pass_text(a, text.s, text.n));
        text.n = 0;
    }
    if (got < -1) GRN_FAIL(GRN_ETRUNC, "'%s': damaged or truncated bgzip data in '%s'", a->path, a->p->region);
    if (text.n) GRN_TRY(pass_text(a, text.s, text.n));
end:
    if (itr) hts_itr_destroy(itr);
    if (tbx) tbx_destroy(tbx);
    if (f) (void)hts_close(f); /* read only */
    free(line.s);
    grn_str_clear(&text);
    grn_names_clear(&chroms);
    return rc;
}

/* ---- the pass ---- */

static grn_status sort_names(grn_names_t *d)
{
    grn_status rc = GRN_OK;
    grn_names_t sorted = { 0 };
    uint32_t *order = NULL;
    GRN_TRY(GRN_NEW_RAW(order, d->n));
    GRN_TRY(grn_names_sort(d, order));
    for (size_t i = 0; i < d->n; i++) GRN_TRY(put_name(&sorted, grn_names_get(d, order[i])));
    grn_names_clear(d);
    *d = sorted;
    memset(&sorted, 0, sizeof sorted);
end:
    grn_names_clear(&sorted);
    free(order);
    return rc;
}

static void end_worker(grn_fragpass_t *p, worker_t *w)
{
    p->n_lines += w->n_lines;
    p->n_fragments += w->n_fragments;
    p->n_unlisted += w->n_unlisted;
    p->n_no_chrom += w->n_no_chrom;
    p->n_no_count += w->n_no_count;
    grn_inflater_destroy(w->z);
    free(w->buf);
}

static void end_pass(pass_t *a)
{
    for (int w = 0; a->worker && w < grn_par_n(a->pool); w++) end_worker(a->p, &a->worker[w]);
    free(a->worker);
    for (size_t i = 0; i < a->span_cap; i++) {
        grn_str_clear(&a->span[i].head);
        grn_str_clear(&a->span[i].tail);
        grn_str_clear(&a->span[i].msg);
        grn_names_clear(&a->span[i].unlisted);
    }
    free(a->span);
    grn_str_clear(&a->carry);
    grn_bgzf_close(a->bgzf);
    grn_intern_clear(&a->cells);
    grn_intern_clear(&a->chroms);
}

grn_status grn_fragpass_run(grn_fragpass_t *p, const char *path, const char *prefix, const char *suffix, grn_par_t *pool,
                            grn_fragpass_fn work, void *ctx)
{
    grn_status rc = GRN_OK;
    pass_t a = { .p = p, .path = path, .prefix = prefix, .suffix = suffix, .work = work, .ctx = ctx, .pool = pool };
    GRN_TRY(grn_intern_init(&a.cells, new_cell, &a));
    GRN_TRY(grn_intern_init(&a.chroms, new_chrom, &a));
    GRN_TRY(GRN_NEW(a.worker, (size_t)grn_par_n(pool)));
    if (p->region) GRN_TRY(pass_region(&a));
    else if (grn_bgzf_is(path)) GRN_TRY(pass_bgzf(&a));
    else GRN_TRY(pass_stream(&a));
    GRN_TRY(sort_names(&p->lost_chroms));
    GRN_TRY(sort_names(&p->renamed_chroms));
end:
    end_pass(&a);
    return rc;
}
