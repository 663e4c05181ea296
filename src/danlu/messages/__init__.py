"""Every sentence of the product, in English and Chinese, side by side. (A technique's own sentences live in its file.)

A constant per sentence: the type checker finds a wrong name, a test finds a missing language or placeholder. A file per part of the
product; all of them are reached as `messages.NAME`, so a name is used once.
"""

from danlu.messages.check import *
from danlu.messages.cli import *
from danlu.messages.curvature import *
from danlu.messages.data import *
from danlu.messages.describe import *
from danlu.messages.doctor import *
from danlu.messages.evaluation import *
from danlu.messages.explain import *
from danlu.messages.finders import *
from danlu.messages.fit import *
from danlu.messages.launch import *
from danlu.messages.learn import *
from danlu.messages.look import *
from danlu.messages.loop import *
from danlu.messages.losses import *
from danlu.messages.metrics import *
from danlu.messages.nets import *
from danlu.messages.optim import *
from danlu.messages.own_data import *
from danlu.messages.placement import *
from danlu.messages.report import *
from danlu.messages.run import *
from danlu.messages.study import *
from danlu.messages.use import *
from danlu.messages.weights import *
