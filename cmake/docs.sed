# What Doxygen does not read: an inline namespace whose name is a macro, macros around code, and attributes.
s/::inline CHAFF_ABI//g
s/^CHAFF_(BEGIN|END)$//
s/\[\[gnu::[a-z_, :]*\]\] ?//g
# The comment at the head of a header is the file's, not the namespace's.
1s|^// SPDX.*|/// @file|
# Facts of a comment stand on lines of their own.
s#^( *)/// (Formula|Shapes?|Ranges?|Errors?|Largest error|Throws|Allocates|Cost|Source|Departure): #\1/// <br><b>\2</b>: #
