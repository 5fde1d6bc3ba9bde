package policy

// rawDefaults gives what models need not write themselves. What each value may be
// is for the models that inherit it to say.
type rawDefaults struct {
	APIVersion string  `yaml:"apiVersion" jsonschema:"required,enum=greenlight/v1" jsonschema_description:"Version of the policy format."`
	Kind       string  `yaml:"kind" jsonschema:"required,enum=Defaults" jsonschema_description:"What the document describes: a Model, a Fleet, or the Defaults of a folder."`
	Spec       rawSpec `yaml:"spec" jsonschema_description:"What the models of the folder, and of the folders below it, inherit. Of texts ${model} is replaced by the model's name."`
}
