#include "logo.h"

#include <math.h>
#include <string.h>

#define LEAST_BITS 0.02

double grn_logo_bits(const double p[4])
{
    double h = 2;
    for (int k = 0; k < 4; k++)
        if (p[k] > 0) h += p[k] * log2(p[k]);
    return h > 0 ? h : 0;
}

/* Outlines in a box of 100 x 100, y downwards. */
grn_status grn_logo_letters(grn_out_t *o)
{
    return grn_out_puts(
        o, "<svg width=0 height=0 style=\"position:absolute\" aria-hidden=true><defs>"
           "<path id=lA fill=\"#109648\" fill-rule=evenodd d=\"M0 100L38 0H62L100 100H78L70 78H30L22 100ZM36 60H64L50 20Z\"/>"
           "<path id=lC fill=\"#255c99\" d=\"M97 34C94 12 76 0 52 0C20 0 2 20 2 50C2 80 20 100 52 100C76 100 94 88 97 65H76C73 77 65 "
           "83 52 83"
           "C33 83 23 71 23 50C23 29 33 17 52 17C65 17 73 23 76 34Z\"/>"
           "<path id=lG fill=\"#f7b32b\" d=\"M96 31C92 11 75 0 51 0C20 0 2 20 2 50C2 80 20 100 51 100C66 100 77 95 83 86L84 "
           "98H98V46H54V62H79"
           "C77 76 67 83 52 83C33 83 23 71 23 50C23 29 33 17 52 17C64 17 72 22 75 31Z\"/>"
           "<path id=lT fill=\"#d62839\" d=\"M2 0H98V18H61V100H39V18H2Z\"/>"
           "</defs></svg>\n");
}

/* Letters of a position from the lowest up. */
static void by_height(const double p[4], int order[4])
{
    for (int i = 0; i < 4; i++) {
        int k = i;
        for (; k > 0 && p[order[k - 1]] > p[i]; k--) order[k] = order[k - 1];
        order[k] = i;
    }
}

grn_status grn_logo_svg(grn_out_t *o, const grn_motif_t *m, double height)
{
    grn_status rc = GRN_OK;
    const double width = height / 3;
    GRN_TRY(grn_out_printf(o, "<svg class=logo width=%.0f height=%.0f role=img>", ceil(width * m->w), height));
    for (uint32_t j = 0; j < m->w; j++) {
        const double *p = m->p + 4 * (size_t)j, bits = grn_logo_bits(p);
        double y = height;
        int order[4];
        by_height(p, order);
        for (int i = 0; i < 4; i++) {
            double h = p[order[i]] * bits;
            if (h < LEAST_BITS) continue;
            y -= h / 2 * height;
            GRN_TRY(grn_out_printf(o, "<use href=\"#l%c\" transform=\"matrix(%.3g 0 0 %.3g %.4g %.4g)\"/>", "ACGT"[order[i]],
                                   width * 0.0096, h / 2 * height / 100, width * j, y));
        }
    }
    GRN_TRY(grn_out_puts(o, "</svg>"));
end:
    return rc;
}
