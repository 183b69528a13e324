"""What looks like a secret to a careless reader and is none: it has to stay, or a recipe is full of holes."""

from __future__ import annotations

import random
import uuid
from base64 import b64encode
from hashlib import md5, sha1, sha256, sha512

_random = random.Random(7)


def _bytes(length: int) -> bytes:
    return _random.randbytes(length)


def _image(length: int) -> str:
    return b64encode(b"\x89PNG\r\n\x1a\n" + _bytes(length)).decode()


def _dna(length: int) -> str:
    return "".join(_random.choice("ACGT") for _ in range(length))


def lines() -> list[str]:
    """Cells and lines as they stand in notebooks."""
    return [line for line in (*_drawn(), *WRITTEN.strip().split("\n"), *CELLS) if line.strip()]


def _drawn() -> list[str]:
    """Digests, identifiers and the like, each under several names."""
    made = [
        f'{name} = "{make(_bytes(9)).hexdigest()}"'
        for make in (md5, sha1, sha256, sha512)
        for name in DIGESTS
    ]  # type: ignore[operator]
    made += [f'{name} = "{uuid.UUID(bytes=_bytes(16), version=4)}"' for name in IDENTIFIERS]
    made += [f'image = "data:image/png;base64,{_image(size)}"' for size in (60, 600, 6000)]
    made += [f'thumbnail = """{_image(400)}"""', f"html = \"<img src='data:image/png;base64,{_image(90)}'>\""]
    made += [f'sequence = "{_dna(size)}"' for size in (12, 40, 120, 4000)]
    made += [f'protein = "MKT{"".join(_random.choice("ACDEFGHIKLMNPQRSTVWY") for _ in range(60))}"']
    made += [
        f"git checkout {_bytes(20).hex()}",
        f"# introduced in {_bytes(4).hex()}",
        f'run_id = "{_bytes(16).hex()}"',
    ]
    made += [f'model = "s3://bucket/models/{_bytes(16).hex()}/weights-{_bytes(4).hex()}.safetensors"']
    made += [f"weights = [{', '.join(str(_random.random()) for _ in range(40))}]"]
    made += [f'docker = "registry.example.com/team/train@sha256:{_bytes(32).hex()}"']
    made += [f'lock = "numpy==2.4.6 --hash=sha256:{_bytes(32).hex()}"', f"etag = 'W/\"{_bytes(8).hex()}\"'"]
    return made


DIGESTS = ("digest", "checksum", "sha", "expected_hash", "data_version", "commit", "fingerprint")
IDENTIFIERS = ("run", "experiment_id", "session_uuid", "trace", "customer_id", "request_id", "cell")

WRITTEN = r"""
token_count = 5
max_tokens = 100
max_new_tokens = 256
num_tokens = len(tokens)
n_tokens_per_sample = 128
tokens_per_second = 1432.7
avg_token_length = 4.3
total_tokens = sum(lengths)
token_ids = [101, 2023, 102]
token_type_ids = [0, 0, 1]
input_tokens = tokenizer(text)["input_ids"]
tokenizer = "bert-base-uncased"
tokenizer_name = "meta-llama/Llama-3.1-8B-Instruct"
pad_token = "[PAD]"
eos_token = "</s>"
bos_token = "<s>"
sep_token = "[SEP]"
unk_token = "<unk>"
mask_token = "<mask>"
special_tokens = {"pad_token": "<pad>", "eos_token": "<eos>"}
tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
tokenizer.pad_token = tokenizer.eos_token
next_token = "the"
next_token_logits = logits[:, -1, :]
for token in doc: print(token.text, token.pos_)
tokens = ["hello", "world", "gpt2", "B12"]
word_tokens = ["a1", "b2"]
token_pattern = r"(?u)\b\w\w+\b"
CountVectorizer(token_pattern=r"[A-Za-z0-9]{2,}")
vectorizer = TfidfVectorizer(tokenizer=str.split, token_pattern=None)
df["token"].value_counts()
df["token_count"] = df["text"].str.split().str.len()
df.groupby("token")["score"].mean()
password_strength = 0.8
password_length = 12
password_policy = "at least twelve characters"
has_password = True
is_password_expired = False
password_reset_count = 3
num_passwords = 17
features = ["password_strength", "token_count", "key_features", "author"]
columns = ["author", "secretary", "tokenizer", "keyboard", "monkey", "turkey"]
df[["password_length", "has_password", "login_count"]]
df = df.rename(columns={"pwd_len": "password_length", "tok": "token_count"})
author = "Ada Lovelace"
authors = ["Ada Lovelace 1843", "Alan Turing 1936"]
authority = "EBA-2021/07"
secretary = "Grace Hopper"
secret_santa = "bob"
secrets_manager_enabled = True
key_features = ["age", "income_2023"]
key = "age"
key_column = "customer_id2"
sort_key = "created_at"
primary_key = "id"
foreign_key = "order_id_v2"
partition_key = "2024-01-01"
cache_key = "x1"
random_key = jax.random.PRNGKey(42)
key, subkey = jax.random.split(key)
keys = list(df.columns)
sorted(rows, key=lambda row: row[0])
max(scores, key=scores.get)
hotkey = "ctrl+shift+K"
keypoints = [(0.1, 0.2), (0.3, 0.4)]
keyword = "covid19"
keywords = ["ml", "gpt4", "bert"]
public_key = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
api_key = None
api_key=None
api_key = ""
api_key = os.environ["API_KEY"]
api_key = os.environ.get("API_KEY")
api_key = os.getenv("OPENAI_API_KEY")
api_key: str | None = None
client = OpenAI(api_key=os.environ["OPENAI_API_KEY"])
client = OpenAI(api_key=api_key, max_retries=3)
token = os.environ["HF_TOKEN"]
token = userdata.get("HF_TOKEN")
password = getpass("Password: ")
password = getpass.getpass()
password = input("Password: ")
password = keyring.get_password("service", "ana")
password = config["db"]["password"]
password = settings.DB_PASSWORD
password = "<your password here>"
password = "***"
password = "changeme"
password = "xxxxxxxx"
token = "YOUR_TOKEN_HERE"
token = "your-token"
secret = os.environ.get("SECRET", "")
conn = psycopg2.connect(host=host, user=user, password=password)
conn = connect(password=os.environ["DB_PASSWORD"])
engine = create_engine(f"postgresql://{user}:{password}@{host}/{database}")
engine = create_engine(os.environ["DATABASE_URL"])
url = "postgresql://localhost/analytics"
url = "postgresql://user:password@localhost/db"
url = "sqlite:///data/local.db"
url = "https://example.com:8443/path/to/file@2x.png"
url = "https://user.github.io/repo/index.html"
url = "https://api.example.com/v1/search?q=machine+learning&page=2&per_page=100&sort=stars&order=desc"
url = "https://archive.example.org/static/public/53/iris.zip?utm_source=newsletter&utm_campaign=2024_spring&id=98237498237"
url = "https://raw.githubusercontent.com/mwaskom/seaborn-data/2b29313169bf8dfa77d8dc930f7bd3eba559a906/titanic.csv"
url = "https://storage.googleapis.com/download.tensorflow.org/example_images/flower_photos.tgz"
url = "https://docs.google.com/spreadsheets/d/1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms/edit#gid=0"
url = "https://www.kaggle.com/datasets/uciml/breast-cancer-wisconsin-data?resource=download"
url = "https://huggingface.co/datasets/squad/resolve/main/plain_text/train-00000-of-00001.parquet"
url = "https://doi.org/10.1038/s41586-021-03819-2"
url = "https://maps.example.com/@52.5170365,13.3888599,12z"
git@github.com:org/repo.git
!git clone https://github.com/org/repo.git
!git clone git@github.com:org/repo.git
!pip install -q torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu
!pip install "scikit-learn>=1.5" pandas
!wget -q https://example.com/data/train_v2.csv.gz -O train.csv.gz
!curl -sSL https://example.com/install.sh -o install.sh
!curl -H "Accept: application/json" https://api.example.com/v1/items
!curl -X POST -d '{"max_tokens": 100}' http://127.0.0.1:8000/v1
!docker run -p 8080:80 -v /data:/data image:latest
!docker login
!docker login -u ana registry.example.com
!ssh -p 2222 ana@host
!ls -la /data/keys
!mysql -u root -p
!mysql -u ana -p analytics
!redis-cli ping
!aws s3 cp s3://bucket/key.csv .
!aws configure list
!export PYTHONPATH=src
!echo $API_KEY
!kubectl get secrets
!huggingface-cli login
%env CUDA_VISIBLE_DEVICES=0
%env OMP_NUM_THREADS 4
%env API_KEY
%env PYTHONHASHSEED=0
%set_env TOKENIZERS_PARALLELISM=false
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["WANDB_MODE"] = "offline"
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "0")
login()
notebook_login()
wandb.login()
wandb.init(project="churn-v2", name="run-2024-01-01")
mlflow.set_tracking_uri("http://127.0.0.1:5000")
requests.get(url, auth=(user, password))
requests.get(url, headers={"Authorization": f"Bearer {token}"})
headers = {"Accept": "application/json", "User-Agent": "nbreg/0.1"}
headers = {"X-Request-Id": "7f3c1b2a-0000-4000-8000-1234567890ab"}
headers = {"Cache-Control": "max-age=3600", "ETag": "33a64df551425fcc55e4d42a148795d9f25f89d4"}
response.headers["X-RateLimit-Remaining"]
session = requests.Session()
session_length = 1800
session_id_column = "session_2"
cookie_consent = True
n_sessions = 42
auth_method = "oauth2"
authentication = "required"
use_auth_token = True
auth_required = False
author_token_ratio = 0.5
credential_count = 3
certificate_path = "certs/ca.pem"
GOOGLE_APPLICATION_CREDENTIALS = "service-account.json"
credentials_file = "credentials.json"
key_file = "keys/id_ed25519.pub"
passenger_class = "first"
passes = 3
passing_grade = 4.0
n_passes = 10
bypass = "v2"
compass = "NNW"
pass_rate = 0.93
class Token: text: str = "x"
class PasswordStrength(BaseEstimator): pass
class SecretaryProblem: n = 100
def tokenize(text, max_tokens=512, pad_token="[PAD]"): return text.split()
def fit(X, y, key=None, sort_key="id"): return X
def connect(host, password=None, api_key: str | None = None): return host
def login(user: str, password: str) -> bool: return True
@dataclass class Config: api_key: str = field(repr=False)
parser.add_argument("--token", help="the token to use", default=None)
parser.add_argument("--api-key", type=str, required=True)
parser.add_argument("--max-tokens", "--max_tokens", default=100, type=int)
if not token: raise ValueError("no token given")
assert "password" not in df.columns
raise ValueError("password must have at least 8 characters")
print("token:", token)
print(f"{n_tokens} tokens in {seconds:.1f} s")
print("Enter your password")
log.info("password is required")
log.info("the key is missing")
# key: description of the key
# the token is cut at 512 characters
# password is asked for below
# see secret_key in the settings
# TODO(ana): remove token_count before 2024-06-01
# tokens: 1.2M, vocab: 32k
text = "The secret of success is 90% perspiration"
text = "password is required for login2"
text = "Basic understanding of bearer authentication"
text = "The key to the city: a 2019 novel"
text = "login and password fields are empty"
text = "Bearer of bad news"
text = "api key is missing"
review = "My password manager is great, 10/10 would recommend"
labels = ["spam", "ham", "phishing_password", "token_theft"]
label2id = {"password": 0, "token": 1, "secret": 2}
mapping = {"token": "word", "key": "column"}
schema = {"password": "str", "token": "string", "api_key": "string"}
dtypes = {"token": "category", "password_length": "int64"}
column_types = {"password": pl.Utf8, "token": pl.Categorical}
pairs = [("token", "text"), ("key", "value_1")]
metrics = {"token_accuracy": 0.91, "key_recall": 0.88}
search_space = {"max_tokens": [128, 256], "n_keys": [4, 8], "key_dim": [32, 64]}
attention = MultiHeadAttention(num_heads=8, key_dim=64)
nn.MultiheadAttention(embed_dim=512, num_heads=8, kdim=64)
q, k, v = self.to_q(x), self.to_k(x), self.to_v(x)
key_padding_mask = tokens == pad_id
version = "1.26.4+cu121.post20240101"
version = "v2.3.8-rc.1+build.5f2c1ab"
__version__ = "0.21.0.dev20240612"
model_name = "sentence-transformers/all-MiniLM-L6-v2"
model_id = "mistralai/Mixtral-8x7B-Instruct-v0.1"
checkpoint = "runs/2024-01-01T12-30-45/epoch=12-step=34567-val_loss=0.1234.ckpt"
path = "data/raw/2024/01/01/part-00000-tid-8372648723648723648-c2f5b1a4-1.c000.snappy.parquet"
path = "../../shared/projects/customer-analytics/churn/v2/features/train_features_2024_q1_final.parquet"
path = r"C:\Data\Projects\Churn\Models\model_final_v2.pkl"
fn = "sk-estimator-doc-link-and-more-stuff fitted"
css = ".sk-toggleable__content { max-height: 0; }"
style = "color:#1f77b4;background:#ff7f0e;border:1px"
isbn = "978-3-16-148410-0"
iban_pattern = r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}"
phone = "+49 30 901820"
card_pattern = r"^(?:4[0-9]{12}(?:[0-9]{3})?)$"
date = "2024-01-01T12:30:45.123456+00:00"
time = "12:30:45:123"
mac = "00:1B:44:11:3A:B7"
ipv6 = "2001:0db8:85a3:0000:0000:8a2e:0370:7334"
host = "db.example.com:5432"
smiles = "CC(=O)OC1=CC=CC=C1C(=O)O"
inchi_key = "BSYNRYMUTXBXSQ-UHFFFAOYSA-N"
chromosome = "chr7:55019017-55211628"
rsid = "rs1801133"
chess = "r1bqkbnr/pppp1ppp/2n5/4p3/2B1P3/5N2/PPPP1PPP/RNBQK2R b KQkq - 3 3"
latex = r"\frac{\partial L}{\partial w_{ij}} = \delta_j x_i"
regex = r"^(?=.*[A-Z])(?=.*\d)[A-Za-z\d@$!%*?&]{8,}$"
lorem = "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor"
LogisticRegression(C=0.5, solver="lbfgs", max_iter=1000, random_state=42)
GridSearchCV(pipe, {"clf__C": [0.1, 1, 10], "tfidf__ngram_range": [(1, 1), (1, 2)]}, cv=5)
RandomForestClassifier(n_estimators=500, max_features="sqrt", class_weight="balanced_subsample")
pd.read_csv("data/passwords_leaked_count.csv", usecols=["token_count"])
pd.merge(a, b, on="key", how="left", suffixes=("_x1", "_y2"))
df.query("token_count > 5 and password_strength < 0.3")
df.sort_values("token_count", key=abs)
df.set_index("key").loc["a1b2"]
%register_model churn clf --metrics accuracy --tags baseline --message "first cut"
%promote churn@1.0.0 production --reason FirstRelease
%load_model churn@sha256:9f86d081884c7d65 --with scaler,threshold
%timeit tokenize(text)
%%time
%matplotlib inline
""".replace("\n\n", "\n")

CELLS = (
    'class Token:\n    """A token of text."""\n    text: str = "x"\n    kind: str = "noun_2"',
    '"""Count tokens.\n\nkey: the column to count by\ntoken: a word\npassword: never used\n"""',
    'config = """\nmodel:\n  max_tokens: 512\n  pad_token: "[PAD]"\n  key_dim: 64\n"""',
    'yaml_text = """\ndatabase:\n  user: ana\n  password: ${DB_PASSWORD}\n  host: db.example.com\n"""',
    "%%writefile train.py\nimport os\nAPI_KEY = os.environ['API_KEY']\nMAX_TOKENS = 100\n",
    "%%writefile params.yaml\nmax_tokens: 512\nlr: 3e-4\ntokenizer: bert-base-uncased\n",
    "%%bash\nexport PYTHONPATH=src\nexport MAX_TOKENS=512\npython train.py --max-tokens 512\n",
    "%%sql\nSELECT token, count(*) FROM words GROUP BY token ORDER BY 2 DESC",
    "def authenticate(request):\n    token = request.headers.get('Authorization')\n    return token is not None",
    "with open('tokens.txt') as file:\n    tokens = [line.strip() for line in file]",
    "manifest = '''\nkind: ConfigMap\ndata:\n  model: churn-v2\n'''",
    'machine = "login node of the cluster, password prompt follows"',
    'expected = {"hash": "5d41402abc4b2a76b9719d911017c592", "key": "a", "token": None}',
)
