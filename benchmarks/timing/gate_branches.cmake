# SPDX-License-Identifier: MIT
# Counts under callgrind the branches that its predictor guesses wrongly, in answers whose gate is closed, and in answers
# whose gate is open for half of them by chance.
# cmake -D PROGRAM=... -P gate_branches.cmake
# Fails where with a gate of constant time the two differ by more than 1 in 100 answers.
# By default a branch does know the side, and single answers have 25 or more in 100. This shows that the count sees such a
# branch. One kind of the eight may have fewer: the predictor's slots are shared by branches, so where the code happens to
# lie, another branch may be guessed wrongly in closed answers, too.
cmake_minimum_required(VERSION 3.25)
include(${CMAKE_CURRENT_LIST_DIR}/../callgrind.cmake)
chaff_callgrind(dumps ${PROGRAM} --branch-sim=yes)
set(mixed)
set(unseen)
foreach(dump IN LISTS dumps)
  file(STRINGS ${dump} lines REGEX "^(desc: Trigger: Client Request: |events: |totals: )")
  if("${lines}" MATCHES "Request: ([^;]*);events: Ir Bc Bcm [^;]*;totals: [0-9]+ [0-9]+ ([0-9]+)")
    set("wrong_${CMAKE_MATCH_1}" ${CMAKE_MATCH_2})
    if(CMAKE_MATCH_1 MATCHES "^(.*)/mixed$")
      list(APPEND mixed "${CMAKE_MATCH_1}")
    endif()
  endif()
endforeach()
list(SORT mixed COMPARE NATURAL)
list(LENGTH mixed kinds)
if(NOT kinds EQUAL 20)
  message(FATAL_ERROR "${kinds} kinds of answers were counted, not 20")
endif()
foreach(name IN LISTS mixed)
  math(EXPR more "100 * (${wrong_${name}/mixed} - ${wrong_${name}/closed}) / 1024")
  math(EXPR closed "100 * ${wrong_${name}/closed} / 1024")
  message(STATUS "branch mispredictions in 100 responses, ${name}: ${closed} where every gate is closed, ${more} more where gates are open at random")
  if(name MATCHES "^constant time" AND (more GREATER 1 OR more LESS -1))
    message(SEND_ERROR "${name}: a branch depends on whether the gate is open")
  elseif(name MATCHES "^usual.*rows:1$" AND more LESS 25)
    list(APPEND unseen "${name}")
  endif()
endforeach()
list(LENGTH unseen count)
if(count GREATER 1)
  message(SEND_ERROR "the count does not see the gate's branch by default, in ${unseen}")
endif()
