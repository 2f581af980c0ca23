# SPDX-License-Identifier: MIT
# Nanoseconds a class against K, one row: gnuplot -e "csv='peers.csv'" -e "svg='peers.svg'" peers.gnuplot
set terminal svg size 900,560 font "sans,13" background rgb "white"
set output svg
set datafile separator ";"
set logscale xy
set xlabel "classes"
set ylabel "nanoseconds a class"
set title "One row of float logits, one thread, -O3 -march=native"
set grid ytics xtics
set xrange [10:131072]
set xtics (10, 100, 1000, 10000, 100000)
set yrange [0.05:5000]
set key top right
one(name) = sprintf("< awk -F';' -v n='%s' '$1 == 1 && $3 == n {print $2 \";\" $5}' %s", name, csv)
plot one("libtorch dcp") using 1:2 with linespoints lw 2 title "libtorch, DCP", \
     one("libtorch softmax") using 1:2 with linespoints lw 2 title "libtorch, softmax", \
     one("XNNPACK softmax") using 1:2 with linespoints lw 2 title "XNNPACK, softmax", \
     one("ONNX Runtime softmax") using 1:2 with linespoints lw 2 title "ONNX Runtime, softmax", \
     one("Eigen softmax") using 1:2 with linespoints lw 2 title "Eigen, softmax", \
     one("chaff dcp open") using 1:2 with linespoints lw 2 title "chaff, dcp, gate open", \
     one("chaff dcp closed") using 1:2 with linespoints lw 2 title "chaff, dcp, gate closed", \
     one("exponentials alone") using 1:2 with lines dt 2 lw 2 title "the exponentials alone", \
     one("copy") using 1:2 with lines dt 3 lw 2 title "a copy"
