"""Used by every room of `tfopt.report`.

| file | question it answers |
|---|---|
| `formats` | how is a number spelled: bytes, milliseconds, percent, counts? |
| `explanation` | where did the accuracy of a file go, as rows and sentences? |
| `explanation_text` | how is that shown in a terminal? |
| `arithmetic` | what does a file compute in, as a sentence? |
| `style` | which colours do figures have, and how does one become SVG? |
| `drawing` | what is a figure before it is drawn, and how do lines of one family look? |
| `terminal` | how do plain text, headings and tables look in a terminal? |
| `page` | how is a template rendered, and how does a figure become a part of a page? |
"""
