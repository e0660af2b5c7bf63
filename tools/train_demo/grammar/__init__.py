# SPDX-License-Identifier: Apache-2.0
# The grammars that phial-demo is trained on. One module per kind of talk.
