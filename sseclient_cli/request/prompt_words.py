"""The words of synthetic prompts.

Each is one token, alone and after a space, in the vocabularies of GPT-2, cl100k (GPT-4), o200k (GPT-4o), Llama 2,
Llama 3 and Mistral 7B, checked with these packages of npm: gpt-tokenizer 4.0, llama-tokenizer-js 1.2,
llama3-tokenizer-js 1.2, mistral-tokenizer-js 1.0.
"""

from __future__ import annotations

_TEXT = """
able about above act add after again against age air all along also always among and animal answer are around art ask
bad ball bank base beat bed been before being best better between big black block board boat body born both bottom
bread break bridge bright bring brown build but camp car card case cat catch cause cell center change chart check
church city claim class clear clock close cloth cloud color column come common company condition consider control cook
cool copy corn could country cover create cross cry current cut dark day deal design develop direct doctor dog done
door double down draw dress drop dry during each ear east edge egg eight either electric else end energy equal even
event ever example except fact fair far fast fat father feed fell few field fig fight figure finger fire first fish
five flat floor flower fly food foot for force form found four free fresh friend from front full fun gas general girl
give glass gold got great green ground group grow had hair half hand hard has head heat heavy held help here hill him
history hold home horse hot hour house human ice include interest iron job joy jump just keep king know lake land
language last law lead leave let letter level life like line list little live log long look lost love machine main
major man mark market mass master match material matter may mean meet metal method middle might mile million minute
miss mix money month moon most motion mouth move much music name natural nature near necessary neck need never next
night nor north note nothing notice now number off office often oil old once one only open organ out own pair part
party pass past pattern pay people perhaps person phrase picture piece place plain plan planet plant play please pose
position post power practice present press pretty print problem property protect put question quick quite race rail
rain raise range rather reach ready real reason red region remember repeat represent result ride right rise river rock
room rose round row rub rule run safe said same sand sat save say scale school score sea season section see seed
select self sell send sense sent seven shall share sharp she ship shore should show side sign silver simple since sing
sit six skin small soft some son song south speed spot spring square stand star state station stead steam step still
stone stop store story street string strong student study success such sun sure surface system table tail take talk
team tell test than that the their them these they thin thing think third those though three through thus tie time
tiny tone too tool total town train travel tree trip true two type under unit until use usual value verb very view
voice wait walk want warm watch water wave wear weather week well went wheel when where whether while white why wide
will win wind window wire women wood work would write written wrong yard year yellow yes you young your
"""

WORDS = tuple(_TEXT.split())
