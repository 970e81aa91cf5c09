namespace Curvature.Tests.Properties

open System
open FsCheck
open FsCheck.FSharp
open Curvature
open Curvature.FSharp

/// A small network of one of several kinds, with the shape of an input, and seeds of parameters and inputs.
[<NoEquality; NoComparison>]
type RandomNetwork =
    {
        Layer: Layer
        InputShape: int list
        Outputs: int
        Rows: int
        Seed: int
    }

    override this.ToString() =
        $"{this.Layer.Name} of {this.Rows} inputs {this.InputShape}, {this.Outputs} outputs, seed {this.Seed}"

    member private this.Key(i: int64) = Key.OfSeed(int64 this.Seed + i)

    /// In training, where dropout acts.
    member this.Network = Network.forTraining (Network.ofLayer this.Layer)

    member this.Theta = this.Network.Initialize(this.Key 0L, DType.Float64)

    member this.Inputs = Tensor.normal (this.Key 1L) DType.Float64 (this.Rows :: this.InputShape)

    /// A direction of parameters, of length 1.
    member this.Direction(i: int64) =
        let v = Tensor.normal (this.Key(100L + i)) DType.Float64 [ this.Network.ParameterCount ]
        v / Tensor.norm v

    member this.Labels =
        let numbers = Random this.Seed
        Tensor.ofIndices [ this.Rows ] (Array.init this.Rows (fun _ -> numbers.Next this.Outputs))

    member this.Probabilities = Tensor.uniform (this.Key 2L) DType.Float64 [ this.Rows; this.Outputs ]

    member this.Distributions = Tensor.softmax (Tensor.normal (this.Key 4L) DType.Float64 [ this.Rows; this.Outputs ])

    /// Targets away from outputs, and from the corners of l1 and of Huber's loss: nearer than 0.8, or farther than 1.2.
    member this.TargetsFar(outputs: Tensor) =
        let far = Tensor.uniform (this.Key 5L) DType.Float64 [ this.Rows; this.Outputs ]
        let sign = Tensor.rademacher (this.Key 6L) DType.Float64 [ this.Rows; this.Outputs ]
        outputs + sign * (0.3 + far + 0.4 * Tensor.greater far 0.5)

/// A network whose layers have derivatives of every order, and no large ones: differences tell its derivatives.
[<NoEquality; NoComparison>]
type SmoothNetwork =
    {
        Smooth: RandomNetwork
    }

    override this.ToString() = string this.Smooth

[<RequireQualifiedAccess>]
module RandomNetworks =

    let private smoothActivation: Gen<int -> Layer> =
        [ Layer.tanh; Layer.sigmoid; Layer.gelu; Layer.geluTanh; Layer.silu; Layer.softplus; Layer.mish ]
        |> List.map (fun layer _ -> layer)
        |> Gen.elements

    /// With corners; the argument is the number of features.
    let private cornerActivation: Gen<int -> Layer> =
        [ Layer.relu; Layer.leakyRelu 0.1; Layer.elu 1.0; Layer.selu; Layer.hardSwish; Layer.hardSigmoid ]
        |> List.map (fun layer _ -> layer)
        |> fun layers -> Gen.elements (Layer.prelu :: layers)

    let private activation isSmooth features =
        Gen.map
            (fun layer -> layer features)
            (if isSmooth then
                 smoothActivation
             else
                 Gen.oneof [ smoothActivation; cornerActivation ])

    let private nothing = Layer.ofFunction "nothing" id

    /// Normalisation of the last axis. With PyTorch's small ε derivatives can be large.
    let private normalization isSmooth features =
        let overGroups = Layer.ofFunction "groups" (Normalization.overGroups 0.5 1 -1)
        let smooth = [ Normalization.rmsWith 0.5 features; overGroups; nothing ]

        let all = [ Normalization.layer features; Normalization.rms features; Normalization.group 1 features ]

        Gen.elements (if isSmooth then smooth else smooth @ all)

    let private dropout =
        gen {
            let! seed = Generators.seed
            return! Gen.elements [ nothing; Dropout.layer 0.3 (Key.OfSeed(int64 seed)) ]
        }

    /// Dense layers with functions, normalisation and dropout between them.
    let private perceptron isSmooth =
        gen {
            let! inputs = Gen.choose (1, 5)
            let! hidden = Gen.choose (1, 4)
            let! sizes = Gen.listOfLength hidden (Gen.choose (2, 5))
            let! normalization = normalization isSmooth sizes.Head
            let! activations = sizes |> List.map (activation isSmooth) |> Gen.sequenceToList
            let! dropout = dropout
            let dense = List.pairwise (inputs :: sizes) |> List.map (fun (from, into) -> Layer.dense from into)
            let between = List.map2 (fun dense activation -> [ dense; activation ]) dense activations
            let layers = between.Head @ [ normalization; dropout ] @ List.concat between.Tail
            return [ inputs ], layers, List.last sizes
        }

    let private meanOver axes = Layer.ofFunction "mean" (Tensor.meanAxes axes)

    /// Attention and a gated layer, with residual connections.
    let private sequence isSmooth =
        gen {
            let! length = Gen.choose (1, 3)
            let! isCausal = Gen.elements [ true; false ]

            let! attention =
                Gen.elements [
                    Attention.multiHead 4 2 isCausal
                    Attention.groupedQuery 4 2 1 isCausal
                    Attention.rotaryGroupedQuery 10.0 4 2 1 isCausal
                    Attention.rotaryGroupedQuery 100.0 4 2 2 isCausal
                ]

            let! normalization = normalization isSmooth 4
            let! dropout = dropout
            let gated = Layer.residual (Layer.swiGlu 4 3)
            return [ length; 4 ], [ Layer.residual attention; normalization; dropout; gated; meanOver [ 1 ] ], 4
        }

    /// Convolution and pooling of signals [length; channels].
    let private signal isSmooth =
        gen {
            let! length = Gen.choose (3, 5)
            let! stride = Gen.choose (1, 2)
            let sliding = Sliding.Default.WithPadding(1).WithStride(stride).WithCeilMode true
            let! activation = activation isSmooth 4
            let! normalization = normalization isSmooth 4
            let average = ImageLayer.averagePool1d 2 sliding
            let! pool = Gen.elements (if isSmooth then [ average ] else [ average; ImageLayer.maxPool1d 2 sliding ])
            let convolution = ImageLayer.groupedConv1d 2 4 2 3 sliding
            return [ length; 2 ], [ convolution; normalization; activation; pool; meanOver [ 1 ] ], 4
        }

    /// Convolution and transposed convolution of images [height; width; channels].
    let private image isSmooth =
        gen {
            let! height = Gen.choose (2, 3)
            let! width = Gen.choose (2, 3)
            let sliding = Sliding.Default.WithPadding 1
            let! activation = activation isSmooth 3
            let instance = Layer.ofFunction "instances" (Normalization.overAxes 0.5 [ 1; 2 ])
            let others = if isSmooth then [] else [ Normalization.instance 3 ]
            let! normalization = Gen.elements (instance :: others)
            let! extra = Gen.choose (0, 1)

            let transposed =
                ImageLayer.groupedConvTranspose2d 3 2 1 (extra, 0) (2, 3) (Sliding.Default.WithStride(2, 1))

            let layers =
                [
                    ImageLayer.conv2d 2 3 (3, 2) sliding
                    normalization
                    activation
                    transposed
                    ImageLayer.globalAveragePool
                ]

            return [ height; width; 2 ], layers, 2
        }

    let ofKind isSmooth : Gen<RandomNetwork> =
        gen {
            let! kind = Gen.frequency [ 4, Gen.constant perceptron; 2, Gen.elements [ sequence; signal; image ] ]
            let! shape, layers, features = kind isSmooth
            let! outputs = Gen.choose (1, 4)
            let! rows = Gen.choose (1, 4)
            let! seed = Generators.seed

            return
                {
                    Layer = Layer.sequential (layers @ [ Layer.dense features outputs ])
                    InputShape = shape
                    Outputs = outputs
                    Rows = rows
                    Seed = seed
                }
        }

    /// Every loss by its name: as a function of outputs, with targets that keep off its corners at the given outputs,
    /// and how many numbers a mean is over.
    let losses (random: RandomNetwork) (outputs: Tensor) : (string * float * (Reduction -> Tensor -> Tensor)) list =
        let labels, probabilities = random.Labels, random.Probabilities
        let far, distributions = random.TargetsFar outputs, random.Distributions
        let rows, all = float random.Rows, float (random.Rows * random.Outputs)

        [
            "softmaxCrossEntropy of labels", rows, (fun reduction -> Loss.softmaxCrossEntropy reduction labels)
            "softmaxCrossEntropy", rows, (fun reduction -> Loss.softmaxCrossEntropy reduction distributions)
            "binaryCrossEntropy", all, (fun reduction -> Loss.binaryCrossEntropy reduction probabilities)
            "meanSquaredError", all, (fun reduction -> Loss.meanSquaredError reduction probabilities)
            "l1", all, (fun reduction -> Loss.l1 reduction far)
            "huber", all, (fun reduction -> Loss.huber 1.0 reduction far)
            "negativeLogLikelihood",
            rows,
            (fun reduction -> Tensor.logSoftmax >> Loss.negativeLogLikelihood reduction labels)
            "kullbackLeibler",
            rows,
            (fun reduction -> Tensor.logSoftmax >> Loss.kullbackLeibler reduction distributions)
            "focal", rows, (fun reduction -> Loss.focal 2.0 reduction labels)
            "binaryFocal", all, (fun reduction -> Loss.binaryFocal 1.5 reduction probabilities)
        ]

type NetworkArbitraries =
    static member RandomNetwork() : Arbitrary<RandomNetwork> = Arb.fromGen (RandomNetworks.ofKind false)

    static member SmoothNetwork() : Arbitrary<SmoothNetwork> =
        RandomNetworks.ofKind true |> Gen.map (fun random -> { Smooth = random }) |> Arb.fromGen
