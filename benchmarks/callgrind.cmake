# SPDX-License-Identifier: MIT
# chaff_callgrind(DUMPS PROGRAM OPTIONS...): runs a program under callgrind, and names the dumps that it made.
function(chaff_callgrind dumps program)
  set(work ${program}.counts)
  file(REMOVE_RECURSE ${work})
  file(MAKE_DIRECTORY ${work})
  execute_process(COMMAND valgrind --tool=callgrind --callgrind-out-file=${work}/out ${ARGN} ${program}
                  WORKING_DIRECTORY ${work} OUTPUT_QUIET ERROR_VARIABLE said RESULT_VARIABLE failed)
  if(failed)
    message(FATAL_ERROR "valgrind failed (${failed}):\n${said}")
  endif()
  file(GLOB found ${work}/out.*)
  set(${dumps} ${found} PARENT_SCOPE)
endfunction()
