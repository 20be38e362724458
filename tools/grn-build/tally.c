#include "tally.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "io/chrom.h"
#include "io/fragments.h"

#define CHUNK_BYTES ((size_t)256 << 10)
#define MAX_BARCODE 1024
#define N_EXAMPLES 3
#define NEW_CELL 0x80000000u /* the cell is a name of the chunk's own dictionary */

typedef struct { /* what one chunk of text gave */
    size_t begin, end;    /* bytes of the block */
    uint32_t *rec;        /* cell, number of regions, regions ... */
    size_t n, cap;
    grn_names_t fresh;    /* barcodes that no cell has yet */
    grn_names_t lost, renamed, unlisted;
    uint64_t n_fragments, n_no_chrom;
} chunk_t;

typedef struct {
    grn_tally_t *t;
    const char *path, *prefix, *suffix;
    const char *text;
    uint64_t line;
    chunk_t *chunk;
} block_t;

void grn_tally_clear(grn_tally_t *t)
{
    for (size_t i = 0; i < t->cells.n && i < t->cell_cap; i++) free(t->cell[i].e);
    free(t->cell);
    grn_names_clear(&t->cells);
    grn_names_clear(&t->lost_chroms);
    grn_names_clear(&t->renamed_chroms);
    grn_names_clear(&t->unlisted);
    memset(t, 0, sizeof *t);
}

size_t grn_barcode_bare(const char *s, size_t n)
{
    size_t k = n;
    while (k && s[k - 1] >= '0' && s[k - 1] <= '9') k--;
    return k > 1 && k < n && s[k - 1] == '-' ? k - 1 : n;
}

/* ---- a chunk: parse, find the cell, find the regions ---- */

static grn_status push(chunk_t *k, uint32_t v)
{
    grn_status rc = GRN_GROW(k->rec, k->cap, k->n + 1);
    if (!rc) k->rec[k->n++] = v;
    return rc;
}

/* The code of a fragment's cell; UINT32_MAX: not listed. */
static grn_status find_cell(const block_t *b, chunk_t *k, const grn_fragment_t *f, uint32_t *code)
{
    char buf[MAX_BARCODE];
    const grn_tally_t *t = b->t;
    size_t n = t->strip_suffix ? grn_barcode_bare(f->barcode, f->barcode_n) : f->barcode_n, i;
    const char *name = f->barcode;
    if (b->prefix[0] || b->suffix[0]) {
        size_t n_pre = strlen(b->prefix), n_suf = strlen(b->suffix);
        if (n_pre + n + n_suf > sizeof buf) return grn_err(GRN_EFORMAT, "a barcode of more than %d bytes", MAX_BARCODE);
        memcpy(buf, b->prefix, n_pre);
        memcpy(buf + n_pre, name, n);
        memcpy(buf + n_pre + n, b->suffix, n_suf);
        name = buf;
        n += n_pre + n_suf;
    }
    i = grn_names_find_n(&t->cells, name, n);
    if (i != GRN_NAMES_NONE) {
        *code = (uint32_t)i;
        return GRN_OK;
    }
    *code = UINT32_MAX;
    if (t->listed_only) return k->unlisted.n < N_EXAMPLES ? grn_names_add_n(&k->unlisted, name, n, NULL, NULL) : GRN_OK;
    grn_status rc = grn_names_add_n(&k->fresh, name, n, &i, NULL);
    *code = NEW_CELL | (uint32_t)i;
    return rc;
}

/* Appends the regions over [start, end) to the record at `head`. */
static grn_status push_regions(const grn_regions_t *r, chunk_t *k, size_t head, size_t chrom, uint64_t start, uint64_t end)
{
    for (;;) {
        size_t room = k->cap - k->n, n = grn_regions_overlap(r, chrom, start, end, k->rec + k->n, room);
        if (n <= room) {
            k->n += n;
            k->rec[head + 1] += (uint32_t)n;
            return GRN_OK;
        }
        grn_status rc = GRN_GROW(k->rec, k->cap, k->n + n);
        if (rc) return rc;
    }
}

typedef struct { /* the chromosome of the last fragment: files come in runs */
    const char *name;
    size_t n, idx;
} last_chrom_t;

static grn_status find_chrom(const block_t *b, chunk_t *k, const grn_fragment_t *f, last_chrom_t *last)
{
    int renamed;
    if (last->name && last->n == f->chrom_n && !memcmp(last->name, f->chrom, f->chrom_n)) return GRN_OK;
    last->name = f->chrom;
    last->n = f->chrom_n;
    last->idx = grn_chrom_find_n(&b->t->regions->chroms, f->chrom, f->chrom_n, &renamed);
    if (last->idx == GRN_NAMES_NONE) return grn_names_add_n(&k->lost, f->chrom, f->chrom_n, NULL, NULL);
    return renamed ? grn_names_add_n(&k->renamed, f->chrom, f->chrom_n, NULL, NULL) : GRN_OK;
}

static grn_status one_fragment(const block_t *b, chunk_t *k, const grn_fragment_t *f, last_chrom_t *last)
{
    grn_status rc = GRN_OK;
    uint32_t cell;
    k->n_fragments++;
    GRN_TRY(find_chrom(b, k, f, last));
    if (last->idx == GRN_NAMES_NONE) k->n_no_chrom++;
    GRN_TRY(find_cell(b, k, f, &cell));
    if (cell == UINT32_MAX) return GRN_OK;
    size_t head = k->n;
    GRN_TRY(push(k, cell));
    GRN_TRY(push(k, 0));
    if (last->idx == GRN_NAMES_NONE) return GRN_OK;
    if (!b->t->cutsites) return push_regions(b->t->regions, k, head, last->idx, f->start, f->end);
    GRN_TRY(push_regions(b->t->regions, k, head, last->idx, f->start, f->start + 1));
    GRN_TRY(push_regions(b->t->regions, k, head, last->idx, f->end - 1, f->end));
end:
    return rc;
}

static uint64_t lines_before(const block_t *b, const char *p)
{
    uint64_t n = b->line;
    for (const char *s = b->text; (s = memchr(s, '\n', (size_t)(p - s))); s++) n++;
    return n;
}

static grn_status chunk_work(void *ctx, size_t begin, size_t end, int worker)
{
    block_t *b = ctx;
    (void)worker;
    for (size_t c = begin; c < end; c++) {
        chunk_t *k = &b->chunk[c];
        last_chrom_t last = { NULL, 0, GRN_NAMES_NONE };
        const char *p = b->text + k->begin, *stop = b->text + k->end;
        k->n = 0;
        k->n_fragments = k->n_no_chrom = 0;
        while (p < stop) {
            grn_fragment_t f;
            const char *at = p;
            int got = grn_fragment_parse(&p, stop, &f);
            grn_status rc = got > 0 ? one_fragment(b, k, &f, &last) : (grn_status)got;
            if (rc) return grn_err_prefix(rc, "'%s' line %" PRIu64, b->path, lines_before(b, at));
        }
    }
    return GRN_OK;
}

/* ---- cells ---- */

static int by_region(const void *a, const void *b)
{
    uint32_t x = ((const grn_tally_entry_t *)a)->region, y = ((const grn_tally_entry_t *)b)->region;
    return x < y ? -1 : x > y;
}

static void merge_cell(grn_tally_cell_t *c)
{
    uint32_t m = 0;
    if (!c->n) return;
    qsort(c->e, c->n, sizeof *c->e, by_region);
    for (uint32_t i = 1; i < c->n; i++) {
        if (c->e[i].region == c->e[m].region) c->e[m].count += c->e[i].count;
        else c->e[++m] = c->e[i];
    }
    c->n = m + 1;
}

static grn_status add_to_cell(grn_tally_cell_t *c, uint32_t region)
{
    uint32_t back = c->n < 4 ? c->n : 4; /* sorted files repeat a region at once */
    for (uint32_t i = 1; i <= back; i++)
        if (c->e[c->n - i].region == region) {
            c->e[c->n - i].count++;
            return GRN_OK;
        }
    if (c->n == c->cap) {
        merge_cell(c);
        if (c->n > c->cap / 2 || !c->cap) {
            uint32_t cap = c->cap ? 2 * c->cap : 8;
            grn_tally_entry_t *e = grn_realloc(c->e, cap, sizeof *e);
            if (!e) return GRN_ENOMEM;
            c->e = e;
            c->cap = cap;
        }
    }
    c->e[c->n++] = (grn_tally_entry_t){ region, 1 };
    return GRN_OK;
}

static grn_status cells_grow(grn_tally_t *t, size_t need)
{
    size_t old = t->cell_cap;
    grn_status rc = GRN_GROW(t->cell, t->cell_cap, need);
    if (!rc && t->cell_cap > old) memset(t->cell + old, 0, (t->cell_cap - old) * sizeof *t->cell);
    return rc;
}

static grn_status add_names(grn_names_t *to, grn_names_t *from, size_t max)
{
    for (size_t i = 0; i < from->n && to->n < max; i++) {
        grn_status rc = grn_names_add(to, grn_names_get(from, i), NULL, NULL);
        if (rc) return rc;
    }
    grn_names_clear(from);
    return GRN_OK;
}

/* Hands the records of a chunk to their cells; new barcodes become cells in the order they were met. */
static grn_status take_chunk(grn_tally_t *t, chunk_t *k)
{
    grn_status rc = GRN_OK;
    uint32_t *code = NULL;
    GRN_TRY(GRN_NEW_RAW(code, k->fresh.n));
    for (size_t i = 0; i < k->fresh.n; i++) {
        size_t idx;
        GRN_TRY(grn_names_add(&t->cells, grn_names_get(&k->fresh, i), &idx, NULL));
        if (idx >= NEW_CELL) GRN_FAIL(GRN_EUNSUP, "more than 2,147,483,648 barcodes");
        code[i] = (uint32_t)idx;
    }
    GRN_TRY(cells_grow(t, t->cells.n));
    for (size_t i = 0; i < k->n;) {
        uint32_t cell = k->rec[i++], n = k->rec[i++];
        if (cell & NEW_CELL) cell = code[cell & ~NEW_CELL];
        t->cell[cell].n_fragments++;
        t->cell[cell].n_in += n > 0;
        t->n_listed++;
        t->n_in += n > 0;
        for (; n; n--) GRN_TRY(add_to_cell(&t->cell[cell], k->rec[i++]));
    }
    t->n_fragments += k->n_fragments;
    t->n_no_chrom += k->n_no_chrom;
    GRN_TRY(add_names(&t->lost_chroms, &k->lost, SIZE_MAX));
    GRN_TRY(add_names(&t->renamed_chroms, &k->renamed, SIZE_MAX));
    GRN_TRY(add_names(&t->unlisted, &k->unlisted, N_EXAMPLES));
    grn_names_clear(&k->fresh);
end:
    free(code);
    return rc;
}

/* Chunks of whole lines of about CHUNK_BYTES. */
static grn_status cut_block(block_t *b, size_t n, size_t *n_chunk, size_t *cap)
{
    size_t k = 0, old = *cap;
    grn_status rc = GRN_GROW(b->chunk, *cap, n / CHUNK_BYTES + 1);
    if (rc) return rc;
    if (*cap > old) memset(b->chunk + old, 0, (*cap - old) * sizeof *b->chunk);
    for (size_t at = 0; at < n; k++) {
        size_t end = at + CHUNK_BYTES < n ? at + CHUNK_BYTES : n;
        if (end < n) end = (size_t)((const char *)memchr(b->text + end, '\n', n - end) + 1 - b->text);
        b->chunk[k].begin = at;
        b->chunk[k].end = at = end;
    }
    *n_chunk = k;
    return GRN_OK;
}

grn_status grn_tally_file(grn_tally_t *t, const char *path, const char *prefix, const char *suffix, grn_par_t *pool)
{
    grn_status rc = GRN_OK;
    grn_fragments_t *f = NULL;
    block_t b = { .t = t, .path = path, .prefix = prefix, .suffix = suffix };
    size_t cap = 0, n, n_chunk;
    int got;
    GRN_TRY(cells_grow(t, t->cells.n));
    GRN_TRY(grn_fragments_open(&f, path, grn_par_n(pool)));
    while ((got = grn_fragments_block(f, &b.text, &n, &b.line)) > 0) {
        GRN_TRY(cut_block(&b, n, &n_chunk, &cap));
        GRN_TRY(grn_par_for(pool, n_chunk, 1, chunk_work, &b));
        for (size_t k = 0; k < n_chunk; k++) GRN_TRY(take_chunk(t, &b.chunk[k]));
        grn_progress_add(n);
    }
    if (got < 0) rc = (grn_status)got;
end:
    for (size_t k = 0; k < cap; k++) {
        free(b.chunk[k].rec);
        grn_names_clear(&b.chunk[k].fresh);
        grn_names_clear(&b.chunk[k].lost);
        grn_names_clear(&b.chunk[k].renamed);
        grn_names_clear(&b.chunk[k].unlisted);
    }
    free(b.chunk);
    grn_fragments_close(f);
    return rc;
}

static grn_status finish_work(void *ctx, size_t begin, size_t end, int worker)
{
    grn_tally_t *t = ctx;
    (void)worker;
    for (size_t i = begin; i < end; i++) merge_cell(&t->cell[i]);
    return GRN_OK;
}

grn_status grn_tally_finish(grn_tally_t *t, grn_par_t *pool)
{
    grn_status rc = cells_grow(t, t->cells.n);
    return rc ? rc : grn_par_for(pool, t->cells.n, 256, finish_work, t);
}
