"""What a recipe can name: built-in files, entry points of other packages, functions of the user.

| file | question it answers |
|---|---|
| `entries` | which stages, exports, data sets, models and criteria exist? |
| `catalog` | which class is the stage or export of this name? |
| `signatures` | what does a file describe (summary, arguments), without importing it? |
| `references` | which function does a data set or model name, or `package.module:function`, refer to? |
| `guard` | how do errors of foreign code become errors of tfopt? |
"""
