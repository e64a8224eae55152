#include "ops/registry.h"

#include <algorithm>
#include <charconv>

namespace rl {

constinit Family* Family::first = nullptr;

namespace {

DType current_default = DType::F32;

constexpr std::string_view kOptions =
    "ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None, bool requires_grad=False";

std::string expand(std::string text) {
  if (size_t at = text.find("$options"); at != std::string::npos) text.replace(at, 8, kOptions);
  return text;
}

class SchemaParser {
 public:
  SchemaParser(std::string_view text, OpDef& def) : text_(text), def_(def) {}

  void parse() {
    std::string full(until("("));
    size_t dot = full.find('.');
    def_.name = full.substr(0, dot);
    def_.overload = dot == std::string::npos ? "" : full.substr(dot + 1);
    bool keyword_only = false;
    while (skip_spaces(), !eat(')')) {
      if (eat(',')) continue;
      if (eat('*')) {
        keyword_only = true;
        continue;
      }
      Param p = param();
      p.keyword_only = keyword_only;
      if (!keyword_only) ++def_.positional;
      def_.params.push_back(std::move(p));
    }
    // Defaults point into the params: set them when the vector has its final place.
    for (Param& p : def_.params)
      if (p.has_default) set_default(p);
    skip_spaces();
    if (!eat('-') || !eat('>')) bad("expected '->'");
    returns();
  }

 private:
  [[noreturn]] void bad(const char* why) {
    fail(ErrorKind::Value, "schema '", text_, "': ", why, " at character ", at_);
  }
  void skip_spaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool eat(char c) {
    if (at_ < text_.size() && text_[at_] == c) {
      ++at_;
      return true;
    }
    return false;
  }
  std::string_view until(std::string_view stops) {
    size_t end = text_.find_first_of(stops, at_);
    if (end == std::string_view::npos) bad("unexpected end");
    std::string_view part = text_.substr(at_, end - at_);
    at_ = end + (stops == "(" ? 1 : 0);
    return part;
  }

  Param param() {
    Param p;
    std::string_view type = until(" ");
    skip_spaces();
    if (type.ends_with('?')) {
      p.optional = true;
      type.remove_suffix(1);
    }
    bool list = false;
    if (type.ends_with(']')) {
      size_t open = type.find('[');
      std::string_view size = type.substr(open + 1, type.size() - open - 2);
      std::from_chars(size.data(), size.data() + size.size(), p.list_size);
      type = type.substr(0, open);
      list = true;
      if (type.ends_with('?')) {
        p.optional_elements = true;
        type.remove_suffix(1);
      }
    }
    if (size_t mark = type.find('('); mark != std::string_view::npos) type = type.substr(0, mark);  // Tensor(a)
    static const std::unordered_map<std::string_view, Tag> kTypes = {
        {"Tensor", Tag::Tensor},    {"Scalar", Tag::Scalar}, {"int", Tag::Int},
        {"SymInt", Tag::Int},       {"float", Tag::Double},  {"bool", Tag::Bool},
        {"ScalarType", Tag::DType}, {"str", Tag::String},    {"Generator", Tag::Generator},
        {"Device", Tag::Device},    {"Layout", Tag::Layout}, {"MemoryFormat", Tag::MemoryFormat}};
    auto found = kTypes.find(type);
    if (found == kTypes.end()) bad("unknown type");
    p.type = found->second;
    if (list) {
      switch (p.type) {
        case Tag::Tensor: p.type = Tag::TensorList; break;
        case Tag::Int: p.type = Tag::IntList; break;
        case Tag::Double: p.type = Tag::DoubleList; break;
        case Tag::Bool: p.type = Tag::BoolList; break;
        case Tag::Scalar: p.type = Tag::ScalarList; break;
        default: bad("no lists of this type");
      }
    }
    size_t start = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_')) ++at_;
    p.name = text_.substr(start, at_ - start);
    if (eat('=')) {
      start = at_;
      int depth = 0;
      while (at_ < text_.size() && (depth > 0 || (text_[at_] != ',' && text_[at_] != ')'))) {
        depth += text_[at_] == '[';
        depth -= text_[at_] == ']';
        ++at_;
      }
      p.has_default = true;
      p.default_text = text_.substr(start, at_ - start);
    }
    return p;
  }

  static void set_default(Param& p) {
    const std::string& text = p.default_text;
    Value& v = p.value;
    if (text == "None") return;
    auto number = [](std::string_view s) {
      double d = 0;
      if (s == "inf") return __builtin_inf();
      if (s == "-inf") return -__builtin_inf();
      std::from_chars(s.data(), s.data() + s.size(), d);
      return d;
    };
    bool truth = text == "True";
    switch (p.type) {
      case Tag::Bool:
        v.tag = Tag::Bool;
        v.b = truth;
        break;
      case Tag::Int:
        v.tag = Tag::Int;
        v.i = static_cast<int64_t>(number(text));
        if (text == "9223372036854775807") v.i = INT64_MAX;
        break;
      case Tag::Double:
        v.tag = Tag::Double;
        v.d = number(text);
        break;
      case Tag::Scalar:
        v.tag = Tag::Scalar;
        if (text == "True" || text == "False")
          v.scalar = Scalar(truth);
        else if (text.find_first_of(".einf") != std::string::npos)
          v.scalar = Scalar(number(text));
        else
          v.scalar = Scalar(static_cast<int64_t>(number(text)));
        break;
      case Tag::String:
        p.string = text.substr(1, text.size() - 2);
        v.tag = Tag::String;
        v.string = &p.string;
        break;
      case Tag::IntList: {
        std::string_view rest = text;
        if (!rest.starts_with('[')) {
          p.ints = Dims(std::max(p.list_size, 1), static_cast<int64_t>(number(rest)));
        } else {
          rest = rest.substr(1, rest.size() - 2);
          while (!rest.empty()) {
            size_t comma = std::min(rest.find(','), rest.size());
            std::string_view item = rest.substr(0, comma);
            while (item.starts_with(' ')) item.remove_prefix(1);
            p.ints.push_back(static_cast<int64_t>(number(item)));
            rest.remove_prefix(std::min(comma + 1, rest.size()));
          }
        }
        v.tag = Tag::IntList;
        v.ints = &p.ints;
        break;
      }
      case Tag::MemoryFormat:
        v.tag = Tag::MemoryFormat;
        v.memory_format = text == "contiguous_format" ? MemoryFormat::Contiguous : MemoryFormat::Preserve;
        break;
      default: break;
    }
  }

  void returns() {
    skip_spaces();
    bool tuple = eat('(');
    while (at_ < text_.size()) {
      skip_spaces();
      if (eat(')') || at_ >= text_.size()) break;
      if (eat(',')) continue;
      size_t start = at_;
      int depth = 0;
      while (at_ < text_.size() &&
             (depth > 0 || (text_[at_] != ',' && text_[at_] != ' ' && !(tuple && text_[at_] == ')')))) {
        depth += text_[at_] == '(';
        depth -= text_[at_] == ')';
        ++at_;
      }
      std::string_view type = text_.substr(start, at_ - start);
      char letter = type.starts_with("Tensor") ? (type.ends_with("[]") ? 'L' : 'T') : 'o';
      std::string name;
      if (at_ < text_.size() && text_[at_] == ' ') {
        ++at_;
        start = at_;
        while (at_ < text_.size() && text_[at_] != ',' && text_[at_] != ')') ++at_;
        name = text_.substr(start, at_ - start);
      }
      def_.returns.emplace_back(letter, name);
    }
  }

  std::string_view text_;
  OpDef& def_;
  size_t at_ = 0;
};

}  // namespace

DType default_dtype() { return current_default; }
void set_default_dtype(DType dtype) {
  check_type(is_floating(dtype), "only floating-point types are supported as the default type, got ",
             dtype_name(dtype));
  current_default = dtype;
}

void parse_schema(const std::string& text, OpDef& def) {
  def.schema = text;
  SchemaParser(def.schema, def).parse();
}

Registry& Registry::get() {
  static Registry registry;
  return registry;
}

void Registry::load() {
  if (!ops_.empty()) return;
  for (Family* family = Family::first; family; family = family->next()) family->fill(*this);
  for (auto [name, of] : aliases_) resolve(name, of);
  std::sort(names_.begin(), names_.end());
  // Overloads are tried in this order: those that take more Tensors first, as PyTorch does.
  for (auto& [name, list] : by_name_) {
    auto tensors = [](const OpDef* d) {
      return std::count_if(d->params.begin(), d->params.end(),
                           [](const Param& p) { return p.type == Tag::Tensor && !p.optional; });
    };
    std::stable_sort(list.begin(), list.end(), [&](const OpDef* a, const OpDef* b) { return tensors(a) > tensors(b); });
  }
}

namespace {
void allow_numbers(OpDef& def, Numbers numbers) {
  def.numbers = numbers;
  int left = numbers == Numbers::None ? 0 : numbers == Numbers::Last ? 1 : 2;
  for (size_t i = def.params.size(); i-- > 0 && left > 0;) {
    if (def.params[i].type != Tag::Tensor) continue;
    def.params[i].number = true;
    --left;
  }
}
}  // namespace

OpDef& Registry::add(std::string schema, Boxed fn, const char* doc, Traits traits) {
  auto def = std::make_unique<OpDef>();
  parse_schema(expand(std::move(schema)), *def);
  def->fn = fn;
  def->doc = doc;
  def->function = traits.function;
  def->method = traits.method && !def->params.empty() && def->params[0].name == "self";
  def->in_place = traits.in_place;
  def->mutates = def->name.ends_with('_') && !def->name.ends_with("__");
  allow_numbers(*def, traits.numbers);
  def->index = static_cast<int>(ops_.size());
  auto& list = by_name_[def->name];
  if (list.empty()) names_.push_back(def->name);
  list.push_back(def.get());
  ops_.push_back(def.get());
  owned_.push_back(std::move(def));
  return *ops_.back();
}

void Registry::resolve(const char* name, const char* of) {
  auto found = by_name_.find(of);
  if (found == by_name_.end()) return;  // an op that this build leaves out
  std::vector<OpDef*> originals = found->second;
  bool special = std::string_view(name).starts_with("special_");  // torch.special.NAME: a function only
  for (OpDef* original : originals) {
    std::string schema = name + original->schema.substr(original->name.size());
    OpDef& def =
        add(schema, original->fn, original->doc,
            {original->function, original->method && !special, original->in_place && !special, original->numbers});
    def.pointwise = original->pointwise;
  }
}

const std::vector<OpDef*>& Registry::overloads(const std::string& name) const {
  static const std::vector<OpDef*> none;
  auto found = by_name_.find(name);
  return found == by_name_.end() ? none : found->second;
}

}  // namespace rl
