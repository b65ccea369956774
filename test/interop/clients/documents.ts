/** A mutation that selects the error members, as the README advises. */
export const RENAME = /* GraphQL */ `
  mutation Rename($id: ID!, $name: String!) {
    updateDevice(input: { id: $id, name: $name }) {
      ... on UpdateDevicePayload {
        device {
          id
          name
        }
      }
      ... on UserError {
        code
        message
      }
      ... on ValidationError {
        field
      }
    }
  }
`;
