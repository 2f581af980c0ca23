# SPDX-License-Identifier: MIT
# The pictures of the results: gnuplot -e "data='FOLDER'; out='FOLDER'" charts.gnuplot, after stealing_charts, which has
# placed everything in pixels.
victims = system(sprintf("cat '%s/pictures.txt'", data))
do for [victim in victims] {
  reset
  load sprintf("%s/%s.gp", data, victim)
  set terminal svg size width,height font "sans,13" background rgb "white"
  set output sprintf("%s/stealing_%s.svg", out, victim)
  unset border
  unset tics
  unset key
  set margins 0, 0, 0, 0
  set xrange [0:width]
  set yrange [0:height]
  plot -1  # below the page: what is seen are arrows and labels
}
