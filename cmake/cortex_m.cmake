# SPDX-License-Identifier: MIT
# Programs for bare Cortex-M processors, cross-compiled beside the host's own, and run under qemu: semihosting carries
# their output and exit code.
find_program(ARM_CXX arm-none-eabi-g++ REQUIRED)
find_program(ARM_NM arm-none-eabi-nm REQUIRED)
find_program(ARM_SIZE arm-none-eabi-size REQUIRED)
find_program(QEMU_ARM qemu-system-arm REQUIRED)
find_program(TIMEOUT timeout REQUIRED)

set(cortex_m_flags -std=c++20 -fno-exceptions -fno-rtti -fno-threadsafe-statics -mthumb -Os -Wall -Wextra -Werror
                   -ffunction-sections -fdata-sections)
set(cortex_m0 -mcpu=cortex-m0)
set(cortex_m3 -mcpu=cortex-m3)
set(cortex_m4 -mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard)
set(cortex_m7 -mcpu=cortex-m7 -mfpu=fpv5-sp-d16 -mfloat-abi=hard)
set(board_of_m3 mps2-an385)
set(board_of_m4 mps2-an386)
set(board_of_m7 mps2-an500)
file(GLOB cortex_m_headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/chaff/int8/* ${PROJECT_SOURCE_DIR}/examples/edge/*
     ${PROJECT_SOURCE_DIR}/tests/int8/*)

if(NOT TARGET embedded)
  add_custom_target(embedded)
endif()

# chaff_cortex_m(name source): name_m3, name_m4 and name_m7.
function(chaff_cortex_m name source)
  set(edge ${PROJECT_SOURCE_DIR}/examples/edge)
  foreach(cpu m3 m4 m7)
    set(program ${CMAKE_CURRENT_BINARY_DIR}/${name}_${cpu}.elf)
    add_custom_command(
      OUTPUT ${program}
      COMMAND ${ARM_CXX} ${cortex_m_flags} ${cortex_${cpu}} -I ${PROJECT_SOURCE_DIR}/include -I ${PROJECT_SOURCE_DIR}/tests
              -I ${edge} -I ${PROJECT_BINARY_DIR}/examples/edge ${edge}/startup.cpp ${CMAKE_CURRENT_SOURCE_DIR}/${source}
              -specs=nano.specs -specs=rdimon.specs -nostartfiles -Wl,--gc-sections -T ${edge}/linker.ld -o ${program}
      DEPENDS ${source} ${cortex_m_headers} int8_network ${PROJECT_BINARY_DIR}/examples/edge/int8_network.hpp
      COMMENT "Building ${name} for Cortex-${cpu}" VERBATIM)
    add_custom_target(${name}_${cpu} DEPENDS ${program})
    add_dependencies(embedded ${name}_${cpu})
  endforeach()
endfunction()

# chaff_cortex_m_test(name cpu): runs it, every instruction taking a nanosecond, and at most two minutes of ours.
function(chaff_cortex_m_test name cpu)
  add_test(NAME embedded.${name}_${cpu}
           COMMAND ${TIMEOUT} 120 ${QEMU_ARM} -M ${board_of_${cpu}} -icount shift=0 -nographic -monitor none -serial none
                   -semihosting-config enable=on,target=native -kernel ${CMAKE_CURRENT_BINARY_DIR}/${name}_${cpu}.elf)
  set_tests_properties(embedded.${name}_${cpu} PROPERTIES LABELS embedded)
endfunction()
