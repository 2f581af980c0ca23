# SPDX-License-Identifier: MIT
# The charts of the results: gnuplot -e "data='FOLDER'; out='FOLDER'" charts.gnuplot, after stealing_charts.
set terminal svg size 1180,560 font "sans,12" background rgb "white"
set grid
set key outside right top Left reverse samplen 2 font "sans,10" width -12
set ylabel "accuracy of the clone, %"
set yrange [0:100]
set offsets graph 0.03, graph 0.03, 0, 0
array victims[3] = ["mnist", "fashion_mnist", "glyphs"]
do for [i = 1:3] {
  victim = victims[i]
  naive = NaN
  label_only = NaN
  load sprintf("%s/%s.gp", data, victim)
  set title sprintf("%s: accuracy of clones trained on defended responses", victim) noenhanced
  point(name) = sprintf("%s/%s_%s.dat", data, victim, name)
  if (lines > 0) {
    set output sprintf("%s/stealing_%s_l1.svg", out, victim)
    set xrange [*:*]
    set xlabel "mean L1 distance between response and posterior, benign test images"
    plot for [b = 0:lines - 1] point("l1") index b using 1:2 with linespoints title columnheader(1) noenhanced, \
         naive with lines dt 2 lc "black" title "undefended", label_only with lines dt 3 lc "black" title "label-only attacker"
    set output sprintf("%s/stealing_%s_lost.svg", out, victim)
    set xlabel "accuracy lost by benign users, percentage points (settings that lose more than 6 are in the CSV)"
    set xrange [-0.2:6]
    plot for [b = 0:lines - 1] point("lost") index b using 1:2 with linespoints title columnheader(1) noenhanced, \
         for [b = 0:labels - 1] point("lost_labels") index b using 1:2 with linespoints dt 2 title columnheader(1) noenhanced, \
         naive with lines dt 2 lc "black" title "undefended", label_only with lines dt 3 lc "black" title "label-only attacker"
  }
}
