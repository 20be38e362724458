#include "seqlanes.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define L GRN_LANES

void grn_seqlanes_clear(grn_seqlanes_t *s)
{
    free(s->pair);
    free(s->ratio);
    free(s->window);
    memset(s, 0, sizeof *s);
}

static void set_lane(grn_seqlanes_t *s, size_t l, const grn_seqlane_t *x)
{
    uint32_t skip = x->lead > s->lead ? x->lead - s->lead : 0, at = s->lead + skip - x->lead, n = x->lead - skip + x->len;
    const uint8_t *code = x->code + skip;
    const double *ratio = x->ratio + skip;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t a = code[i] & 3, b = i + 1 < n ? code[i + 1] & 3 : 0;
        s->pair[(at + i) * L + l] = 4 * a + b;
        s->ratio[(at + i) * L + l] = code[i] < 4 ? (float)ratio[i] : 0;
    }
}

grn_status grn_seqlanes_set(grn_seqlanes_t *s, const grn_seqlane_t *lane, size_t n, uint32_t lead)
{
    grn_status rc = GRN_OK;
    s->n = n;
    s->lead = lead;
    s->len = 0;
    s->w = 0;
    for (size_t l = 0; l < n; l++) s->len = lane[l].len > s->len ? lane[l].len : s->len;
    size_t rows = (size_t)lead + s->len;
    GRN_TRY(grn_room_aligned((void **)&s->pair, &s->pair_cap, (rows + 1) * L * sizeof *s->pair));
    GRN_TRY(grn_room_aligned((void **)&s->ratio, &s->ratio_cap, (rows + 1) * L * sizeof *s->ratio));
    GRN_TRY(grn_room_aligned((void **)&s->window, &s->window_cap, ((size_t)s->len + 1) * L * sizeof *s->window));
    memset(s->pair, 0, (rows + 1) * L * sizeof *s->pair);
    memset(s->ratio, 0, (rows + 1) * L * sizeof *s->ratio);
    for (size_t l = 0; l < n; l++) {
        s->lane[l] = lane[l];
        set_lane(s, l, &lane[l]);
    }
end:
    return rc;
}

void grn_seqlanes_window(grn_seqlanes_t *s, uint32_t w)
{
    size_t n = (size_t)s->len * L;
    if (w < s->w) s->w = 0;
    if (!s->w) {
        memcpy(s->window, s->ratio + (size_t)s->lead * L, n * sizeof *s->window);
        s->w = 1;
    }
    for (; s->w < w; s->w++) {
        const float *r = s->ratio + ((size_t)s->lead - s->w) * L;
        for (size_t i = 0; i < n; i++) s->window[i] *= r[i];
    }
}
