#include "stat/rss.h"

#include <math.h>

double grn_rss_term(double p, double q)
{
    return (p > 0 ? p * log2(2 * p / (p + q)) : 0) + q * log2(2 * q / (p + q));
}

double grn_rss(double p_in, double term)
{
    double jsd = 0.5 * ((1 - p_in) + term);
    return 1 - sqrt(jsd > 0 ? jsd : 0);
}
