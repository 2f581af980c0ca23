# SPDX-License-Identifier: MIT
# The reference of the public headers, as HTML in docs/html of the build; a warning is an error.
find_package(Doxygen REQUIRED)

set(DOXYGEN_PROJECT_BRIEF "${PROJECT_DESCRIPTION}")
set(DOXYGEN_OUTPUT_DIRECTORY docs)
set(DOXYGEN_EXTRACT_ALL YES)  # a member whose name says it all needs no sentence
set(DOXYGEN_WARN_AS_ERROR FAIL_ON_WARNINGS)
set(DOXYGEN_QUIET YES)
set(DOXYGEN_FULL_PATH_NAMES YES)
set(DOXYGEN_STRIP_FROM_PATH ${PROJECT_SOURCE_DIR}/include)
set(DOXYGEN_USE_MDFILE_AS_MAINPAGE ${PROJECT_SOURCE_DIR}/README.md)
set(DOXYGEN_EXCLUDE_PATTERNS */pipeline/*)  # how, not what
set(DOXYGEN_HAVE_DOT NO)
set(DOXYGEN_INPUT_FILTER "sed -E -f ${CMAKE_CURRENT_LIST_DIR}/docs.sed")
set(DOXYGEN_SORT_MEMBER_DOCS NO)
set(DOXYGEN_JAVADOC_AUTOBRIEF YES)
file(GLOB pages CONFIGURE_DEPENDS *.md examples/*.md examples/*/*.md benchmarks/*.md benchmarks/*/*.md)
doxygen_add_docs(docs include/chaff ${pages})
