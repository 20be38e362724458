#include "io/fragments.h"

#include <htslib/bgzf.h>
#include <htslib/hts.h>
#include <htslib/hts_log.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "io/bgzf.h"
#include "io/text.h"

#define BLOCK_BYTES ((size_t)8 << 20)

struct grn_fragments_s {
    char *path;
    BGZF *bg;      /* bgzip and remote files */
    grn_text_t *t; /* everything else */
    char *buf;     /* [0, ready) was handed out; [ready, n) is the beginning of the next block */
    size_t cap, ready, n;
    int eof;
    uint64_t line;  /* lines in the blocks before this one */
    uint64_t lines; /* lines of this block */
    const char *pos; /* grn_fragments_next: where in the block */
};

const char *grn_fragments_path(const grn_fragments_t *f)
{
    return f->path;
}

void grn_fragments_close(grn_fragments_t *f)
{
    if (!f) return;
    if (f->bg) (void)bgzf_close(f->bg); /* read only: nothing can be lost */
    grn_text_close(f->t);
    free(f->buf);
    free(f->path);
    free(f);
}

static grn_status open_bgzf(grn_fragments_t *f, int n_threads)
{
    hts_set_log_level(HTS_LOG_OFF);
    f->bg = bgzf_open(f->path, "r");
    if (!f->bg) return grn_err(GRN_EIO, "cannot open '%s' as a bgzip file", f->path);
    if (bgzf_check_EOF(f->bg) == 0)
        return grn_err(GRN_ETRUNC, "'%s' is truncated: its bgzf end-of-file block is missing", f->path);
    if (n_threads > 1 && bgzf_mt(f->bg, n_threads, 256) < 0) return grn_err(GRN_ENOMEM, "cannot start threads to unpack '%s'", f->path);
    return GRN_OK;
}

grn_status grn_fragments_open(grn_fragments_t **out, const char *path, int n_threads)
{
    grn_status rc = GRN_OK;
    grn_fragments_t *f = NULL;
    *out = NULL;
    GRN_TRY(GRN_NEW(f, 1));
    GRN_TRY(GRN_NEW_RAW(f->path, strlen(path) + 1));
    memcpy(f->path, path, strlen(path) + 1);
    if (strstr(path, "://") || grn_bgzf_is(path)) GRN_TRY(open_bgzf(f, n_threads));
    else GRN_TRY(grn_text_open(&f->t, path));
    *out = f;
    f = NULL;
end:
    grn_fragments_close(f);
    return rc;
}

static grn_status fill_bgzf(grn_fragments_t *f)
{
    int first = f->line == 0 && f->n == 0;
    size_t want = f->cap - f->n - 1;
    ssize_t got = bgzf_read(f->bg, f->buf + f->n, want);
    if (got < 0) return grn_err(GRN_ETRUNC, "'%s': damaged or truncated bgzip data behind line %" PRIu64, f->path, f->line);
    const char *what = first ? grn_magic_name(f->buf, (size_t)got) : NULL;
    if (what) return grn_err(GRN_EFORMAT, "'%s' is compressed %s; text was expected", f->path, what);
    if ((size_t)got < want) f->eof = 1;
    f->n += (size_t)got;
    return GRN_OK;
}

static grn_status fill_text(grn_fragments_t *f)
{
    char *line;
    size_t n;
    int got;
    while (f->n < BLOCK_BYTES && (got = grn_text_next(f->t, &line, &n)) != 0) {
        if (got < 0) return (grn_status)got;
        grn_status rc = GRN_GROW(f->buf, f->cap, f->n + n + 2);
        if (rc) return rc;
        memcpy(f->buf + f->n, line, n);
        f->n += n;
        f->buf[f->n++] = '\n';
    }
    if (f->n < BLOCK_BYTES) f->eof = 1;
    return GRN_OK;
}

static uint64_t count_lines(const char *p, const char *end)
{
    uint64_t n = 0;
    while ((p = memchr(p, '\n', (size_t)(end - p)))) n++, p++;
    return n;
}

int grn_fragments_block(grn_fragments_t *f, const char **text, size_t *n, uint64_t *line)
{
    grn_status rc = GRN_GROW(f->buf, f->cap, BLOCK_BYTES + 1);
    if (rc) return rc;
    f->line += f->lines;
    memmove(f->buf, f->buf + f->ready, f->n - f->ready);
    f->n -= f->ready;
    f->ready = 0;
    for (;;) {
        if (!f->eof) rc = f->bg ? fill_bgzf(f) : fill_text(f);
        if (rc) return rc;
        if (f->eof && f->n && f->buf[f->n - 1] != '\n') f->buf[f->n++] = '\n';
        const char *nl = f->n ? memrchr(f->buf, '\n', f->n) : NULL;
        if (nl) f->ready = (size_t)(nl + 1 - f->buf);
        if (nl || f->eof) break;
        if ((rc = GRN_GROW(f->buf, f->cap, f->cap + BLOCK_BYTES)) != GRN_OK) return rc; /* a line longer than a block */
    }
    f->lines = count_lines(f->buf, f->buf + f->ready);
    *text = f->buf;
    *n = f->ready;
    *line = f->line + 1;
    return f->ready > 0;
}

int grn_fragment_parse(const char **p, const char *end, grn_fragment_t *o)
{
    const char *s = *p, *nl = memchr(s, '\n', (size_t)(end - s));
    if (!nl) return grn_err(GRN_EFORMAT, "a line without end");
    *p = nl + 1;
    const char *stop = nl > s && nl[-1] == '\r' ? nl - 1 : nl;
    if (stop == s || *s == '#') return 0;
    const char *tab = memchr(s, '\t', (size_t)(stop - s));
    if (!tab) return grn_err(GRN_EFORMAT, "no tab: a fragment has chromosome, start, end, barcode[, count]");
    if (tab == s) return grn_err(GRN_EFORMAT, "the chromosome is empty");
    o->chrom = s;
    o->chrom_n = (size_t)(tab - s);
    s = tab + 1;
    if (!grn_scan_u64(&s, &o->start) || *s != '\t') return grn_err(GRN_EFORMAT, "the start (column 2) is not a whole number");
    s++;
    if (!grn_scan_u64(&s, &o->end) || *s != '\t')
        return grn_err(GRN_EFORMAT, "the end (column 3) is not a whole number followed by a barcode");
    s++;
    if (o->end <= o->start) return grn_err(GRN_EFORMAT, "end %" PRIu64 " is not behind start %" PRIu64, o->end, o->start);
    tab = memchr(s, '\t', (size_t)(stop - s));
    o->barcode = s;
    o->barcode_n = (size_t)((tab ? tab : stop) - s);
    o->count = 1;
    if (!o->barcode_n) return grn_err(GRN_EFORMAT, "the barcode (column 4) is empty");
    if (!tab) return 1;
    s = tab + 1;
    if (!grn_scan_u64(&s, &o->count) || (s != stop && *s != '\t'))
        return grn_err(GRN_EFORMAT, "the count (column 5) is not a whole number");
    return 1;
}

int grn_fragments_next(grn_fragments_t *f, grn_fragment_t *out)
{
    for (;;) {
        if (!f->pos || f->pos == f->buf + f->ready) {
            const char *text;
            size_t n;
            uint64_t line;
            int got = grn_fragments_block(f, &text, &n, &line);
            if (got <= 0) return got;
            f->pos = text;
        }
        const char *at = f->pos;
        int got = grn_fragment_parse(&f->pos, f->buf + f->ready, out);
        if (got < 0) return grn_err_prefix((grn_status)got, "'%s' line %" PRIu64, f->path, f->line + 1 + count_lines(f->buf, at));
        if (got > 0) return 1;
    }
}
